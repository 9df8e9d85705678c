// A conversation's messages, with the words that call for a person marked.

import { h, icon, words } from "../dom.js";
import { chip } from "../ui.js";
import { ago, cut, moment, spoken } from "../text.js";
import { called } from "./tags.js";

const CODES = { reads_like_one: "reads like a case for a person", asks_for_person: "asks for a person" };
const named = (code) => CODES[code] ?? spoken(code);
const WHO = { agent: "Support", bot: "Bot", system: "System" };

/** The thread; `reasons` are the escalation's, with offsets into each message as received. */
export function thread(conversation, reasons) {
  return h("ol", { class: "thread", "aria-label": "Messages" }, conversation.messages.map((message, at) => one(conversation, message, reasons.filter((reason) => reason.message === at && reason.end > reason.start))));
}

function one(conversation, message, reasons) {
  const name = message.author === "customer" ? called(conversation.customer) : WHO[message.author] ?? message.author;
  const hidden = message.visibility === "private";
  return h("li", { class: `message ${message.author}${hidden ? " private" : ""}` },
    h("header", { class: "row apart keep" }, h("b", { class: "clip" }, words(name)), hidden && chip("private note", "warn"),
      message.at && h("time", { class: "small muted num", datetime: message.at, title: moment(message.at) }, ago(message.at))),
    h("div", { class: "words pre", dir: "auto" }, cut(message.text, reasons).map(({ text, span }) => (span ? h("mark", { title: named(span.code), data: { code: span.code } }, text) : text))));
}

/** Bring the words of a reason into sight. */
export function pointAt(box, code) {
  const mark = box.querySelector(`mark[data-code="${CSS.escape(code)}"]`);
  if (!mark) return false;
  mark.scrollIntoView({ block: "center" });
  mark.classList.remove("flash");
  requestAnimationFrame(() => mark.classList.add("flash"));
  return true;
}

/** The banner over a draft that a person of another team should see; reasons lead to their words. */
export function escalationBanner(escalation, pointed, actions) {
  return h("section", { class: "notice bad escalation", "aria-label": "Escalation" }, icon("flag"),
    h("div", { class: "grow" },
      h("p", {}, h("b", {}, `Hand over to ${spoken(escalation.team ?? "a person")}`), escalation.level && h("span", { class: "muted" }, ` · ${escalation.level}`)),
      h("ul", { class: "row tight" }, escalation.reasons.map((reason) => h("li", {}, reasonButton(reason, pointed))))),
    actions);
}

function reasonButton(reason, pointed) {
  const label = [named(reason.code), reason.quote && h("q", { class: "words clip" }, reason.quote)];
  if (!reason.quote) return h("span", { class: "chip" }, label);
  return h("button", { class: "chip reason", type: "button", on: { click: () => pointed(reason.code) } }, label);
}
