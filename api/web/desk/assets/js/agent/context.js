// What lies beside the reply: the conversation, and in its place a source, similar tickets, macros, what was found, the customer's history, and questions of one's own.

import { get } from "../api.js";
import { fill, h, words } from "../dom.js";
import { button, chip, closePanel, empty, panel, skeleton } from "../ui.js";
import { day, plural } from "../text.js";
import { sourceView } from "./source.js";
import { called, channelIcon, escalationChip, tagChips } from "./tags.js";

const narrow = matchMedia("(max-width: 860px)");

/** Tabs whose panels stay as they are while another one is shown, so that no place is lost. */
export class Context {
  constructor(label, tabs) {
    this.heads = new Map(), this.bodies = new Map(), this.shown = new Map();
    this.bar = h("div", { class: "tabs", role: "tablist", "aria-label": label, on: { keydown: (event) => this.arrow(event) } });
    this.stack = h("div", { class: "bodies" });
    this.node = h("section", { class: "card context", "aria-label": label }, this.bar, this.stack);
    for (const [id, name, show] of tabs) this.add(id, name, show);
    this.choose(tabs[0][0]);
  }

  add(id, name, show) {
    const body = h("div", { class: "context-body", role: "tabpanel", id: `context-${id}`, tabindex: "0", "aria-labelledby": `context-tab-${id}` });
    const head = h("button", { type: "button", role: "tab", id: `context-tab-${id}`, "aria-controls": body.id, on: { click: () => this.choose(id) } }, name);
    this.heads.set(id, head);
    this.bodies.set(id, body);
    this.shown.set(id, show);
    this.bar.append(head);
    this.stack.append(body);
  }

  name(id, text) { fill(this.heads.get(id), text); }

  hide(id, hidden = true) { this.heads.get(id).hidden = hidden; }

  put(id, ...children) { fill(this.bodies.get(id), children); }

  choose(id, focus = false) {
    this.chosen = id;
    for (const [other, head] of this.heads) {
      const on = other === id;
      head.setAttribute("aria-selected", String(on));
      head.tabIndex = on ? 0 : -1;
      this.bodies.get(other).toggleAttribute("data-off", !on);
      this.bodies.get(other).inert = !on;
    }
    this.shown.get(id)?.(this);
    if (focus) this.heads.get(id).focus();
  }

  arrow(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const ids = [...this.heads.keys()].filter((id) => !this.heads.get(id).hidden);
    this.choose(ids[(ids.indexOf(this.chosen) + by + ids.length) % ids.length], true);
  }

  /** Show a source at its cited words: beside the reply, on a phone over it. Escape leads back to where one was. */
  source(one, spans) {
    const before = document.activeElement, from = this.chosen === "source" ? this.from : this.chosen;
    if (narrow.matches) return void panel(one.title, sourceView(one, spans));
    closePanel(false);
    this.from = from;
    this.hide("source", false);
    this.put("source", h("div", { class: "row apart keep source-head" }, h("b", { class: "clip" }, words(one.title)), button("Back", { icon: "back", kind: "small plain", keys: "esc", run: () => this.back(before) })), sourceView(one, spans));
    this.choose("source");
    this.bodies.get("source").onkeydown = (event) => { if (event.key === "Escape") this.back(before); };
    this.leave = () => this.back(before);
  }

  back(before) {
    if (this.chosen === "source") this.choose(this.from ?? "thread");
    if (before?.isConnected) before.focus();
  }
}

export const cited = (context, citation) => context.source(citation, [citation]);

/** Solved tickets like this one, each with how it was solved. */
export function ticketList(tickets, opened) {
  if (!tickets.length) return empty({ icon: "search", title: "No similar ticket", text: "No solved ticket is near enough to this message." });
  return h("ul", { class: "stack" }, tickets.map((one) => h("li", { class: "card piece" },
    h("div", { class: "row apart" }, h("button", { class: "link", type: "button", on: { click: () => opened({ ...one, kind: "ticket" }, []) } }, words(one.title)),
      h("span", { class: "row tight" }, chip("solved", "ok", "check"), one.resolved_at && h("span", { class: "small muted num" }, day(one.resolved_at)))),
    h("p", { class: "words pre", dir: "auto" }, one.resolution))));
}

/** Canned replies that fit; `inserted(text)` puts one into the reply. */
export function macroList(macros, inserted) {
  if (!macros.length) return empty({ icon: "file", title: "No macro fits", text: "Macros are documents of kind macro; the ones that fit a message are shown here." });
  return h("ul", { class: "stack" }, macros.map((one) => h("li", { class: "card piece" },
    h("div", { class: "row apart" }, h("b", {}, words(one.title)), button("Insert", { icon: "plus", kind: "small", run: () => inserted(one.text), "aria-label": `Insert ${one.title}` })),
    h("p", { class: "words pre muted", dir: "auto" }, one.text))));
}

/** What was found for the message, best first, with the agent's own notes on top. */
export function foundList(suggestion, opened) {
  const notes = suggestion.guidance.map((one) => h("li", { class: "card piece" }, h("div", { class: "row tight" }, chip("for you only", "warn")), h("p", { class: "words", dir: "auto" }, one.text),
    h("button", { class: "link small", type: "button", on: { click: () => opened(one.citation, [one.citation]) } }, words(one.citation.title))));
  const hits = suggestion.passages.map((hit) => h("li", { class: "card piece" },
    h("div", { class: "row apart" }, h("button", { class: "link", type: "button", on: { click: () => opened(hit, hit.passages) } }, words(hit.title)), h("span", { class: "row tight" }, hit.audience !== "public" && chip(hit.audience, "warn"), h("span", { class: "small muted num" }, hit.score.toFixed(2)))),
    h("p", { class: "words clip-2 muted", dir: "auto" }, hit.passages[0]?.text ?? "")));
  return notes.length + hits.length ? h("ul", { class: "stack" }, notes, hits) : empty({ icon: "search", title: "Nothing was found" });
}

/** A customer's history over all channels. */
export async function history(customer, current) {
  if (!customer.id) return empty({ icon: "user", title: "No history", text: "The conversation names no customer id, so nothing else can be known to be theirs." });
  const found = await get(`/v1/customers/${encodeURIComponent(customer.id)}/timeline`);
  const others = found.conversations.filter((one) => one.conversation_id !== current);
  if (!others.length && !found.tickets.length) return empty({ icon: "user", title: "First contact", text: `${called(customer)} has not written before.` });
  return h("div", { class: "stack" },
    h("p", { class: "muted small" }, `${plural(others.length, "other conversation")}, ${plural(found.tickets.length, "solved ticket")}`),
    h("ol", { class: "stack history" }, others.map((one) => h("li", { class: "card piece" },
      h("div", { class: "row apart" }, h("span", { class: "row tight keep" }, channelIcon(one.glance.channel), h("a", { href: `/desk/conversations/${encodeURIComponent(one.conversation_id)}`, class: "clip" }, words(one.glance.subject || one.glance.snippet || one.conversation_id))),
        h("span", { class: "row tight" }, one.resolved_at ? chip("resolved", "ok") : chip("open", "info"), h("span", { class: "small muted num" }, day(one.glance.last_at)))),
      one.glance.subject && h("p", { class: "words clip-2 muted", dir: "auto" }, one.glance.snippet),
      h("div", { class: "row tight" }, escalationChip(one.glance.escalation), tagChips(one.glance.triage)))),
    found.tickets.map((one) => h("li", { class: "card piece" }, h("div", { class: "row apart" }, h("a", { href: `/desk/documents/${one.id.split("/").map(encodeURIComponent).join("/")}` }, words(one.title)), h("span", { class: "row tight" }, chip("solved", "ok", "check"), h("span", { class: "small muted num" }, day(one.resolved_at))))))));
}

export const waiting = () => skeleton(5);
