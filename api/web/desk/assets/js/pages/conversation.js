// One conversation: what the customer wrote at one side, the reply at the other.

import { follow, get, post, session } from "../api.js";
import { byId, fill, h, icon, words } from "../dom.js";
import { shortcut } from "../keys.js";
import { announce, button, closePanel, copy, mount, notice, panel, skeleton, toast } from "../ui.js";
import { asking } from "../agent/asking.js";
import { Context, foundList, history, macroList, ticketList } from "../agent/context.js";
import { Reply, present } from "../agent/reply.js";
import { called, channelIcon, waited } from "../agent/tags.js";
import { escalationBanner, pointAt, thread } from "../agent/thread.js";

const id = session.params.conversation_id, path = `/v1/conversations/${encodeURIComponent(id)}`;
const SECTIONS = { situation: "Situation", tried: "What was tried", result: "What came of it", open: "Still open" };
let stored = null, entry = null, asked = null;

const source = (one, spans) => context.source(one, spans);
const context = new Context("Beside the reply", [
  ["thread", "Thread"], ["source", "Source"], ["tickets", "Tickets"], ["macros", "Macros"], ["found", "Found"],
  ["history", "History", showHistory], ["ask", "Ask", () => { asked ??= startAsking(); }],
]);
const reply = new Reply(id, { source, arrived, stage: (name, hits) => context.name("found", `Found ${hits.length}`), banner, judged });
const app = byId("app");

async function open() {
  context.put("thread", skeleton(6));
  context.hide("source");
  fill(app, context.node, reply.node);
  const [kept, glance] = await Promise.all([get(path), get(`${path}/glance`)]);
  stored = kept;
  entry = glance;
  paint();
  const found = await present(id, stored.changed_at);
  if (found) reply.show(found.made, found.judged);
  else reply.make();
  listen();
}

function paint() {
  const { conversation } = stored, { glance } = entry;
  const title = conversation.subject || glance.snippet || "Conversation";
  document.title = `${title.slice(0, 80)} · Support Copilot`;
  fill(byId("subject"), words(title));
  paintActions();
  banner(glance.escalation);
  reply.paintTags(glance.triage);
  paintThread(glance.escalation?.reasons ?? []);
}

function paintThread(reasons) {
  const { conversation } = stored, { glance } = entry, { customer } = conversation;
  const facts = [conversation.channel, customer.tier, customer.locale, glance.waiting_since ? `waiting ${waited(glance.waiting_since)}` : null].filter(Boolean);
  const last = context.bodies.get("thread");
  context.put("thread",
    h("header", { class: "customer row keep" }, channelIcon(conversation.channel), h("div", { class: "grow" }, h("b", { class: "clip" }, words(called(customer))), h("p", { class: "small muted words" }, facts.join(" · ")))),
    thread(conversation, reasons));
  if (conversation.messages.length > 1) last.scrollTop = last.scrollHeight;
}

function paintActions() {
  fill(byId("actions"),
    button("Hand-off summary", { icon: "file", kind: "plain", keys: "S", run: summary }),
    stored.resolved_at ? h("span", { class: "chip ok" }, icon("check"), "resolved") : button("Resolve", { icon: "check", keys: "X", run: resolve }),
    button("Next", { icon: "chevron", keys: "N", run: nextOne }));
}

function banner(escalation) {
  fill(reply.banner, escalation?.recommended && escalationBanner(escalation, pointed));
}

function pointed(code) {
  context.choose("thread");
  pointAt(context.bodies.get("thread"), code);
}

function arrived(suggestion) {
  banner(suggestion.escalation);
  paintThread(suggestion.escalation.reasons);
  context.name("tickets", `Tickets ${suggestion.similar_tickets.length}`);
  context.name("macros", `Macros ${suggestion.macros.length}`);
  context.name("found", `Found ${suggestion.passages.length}`);
  context.put("tickets", ticketList(suggestion.similar_tickets, source));
  context.put("macros", macroList(suggestion.macros, (text) => reply.insert(text)));
  context.put("found", foundList(suggestion, source));
}

function judged(verdict) {
  announce(verdict === "rejected" ? "Rejected." : "Copied and noted. Nothing was sent.");
}

let known = false;
async function showHistory() {
  if (known || !stored) return;
  known = true;
  context.put("history", skeleton(4));
  context.put("history", await history(stored.conversation.customer, id));
}

function startAsking() {
  const chat = asking(source);
  context.put("ask", chat);
  return chat;
}

async function resolve() {
  stored = await post(`${path}/resolve`);
  paintActions();
  toast("Resolved.");
}

/** The conversation that should be answered next. */
async function nextOne() {
  const { conversations } = await get("/v1/conversations", { query: { limit: 2 } });
  const other = conversations.find((one) => one.conversation_id !== id);
  location.assign(other ? `/desk/conversations/${encodeURIComponent(other.conversation_id)}` : "/desk/inbox");
}

/** The hand-off summary in a panel, each line with who said it. */
async function summary() {
  const found = await post(`${path}/summary`);
  const filled = found.sections.filter((one) => one.lines.length);
  const text = filled.map((one) => `${SECTIONS[one.name] ?? one.name}\n${one.lines.map((line) => `- ${line.text}`).join("\n")}`).join("\n\n");
  panel("Hand-off summary",
    found.fallback && notice("warn", "The language model did not answer; these are the conversation's own words."),
    filled.map((one) => h("section", { class: "stack tight" }, h("h3", {}, SECTIONS[one.name] ?? one.name),
      h("ul", { class: "points" }, one.lines.map((line) => h("li", {}, h("span", { class: "words", dir: "auto" }, line.text), line.author && h("span", { class: "small muted" }, ` ${line.author}`)))))),
    h("div", { class: "row" }, button("Copy", { icon: "copy", run: () => copy(text, "The summary is copied.") })));
}

/** What arrives while one looks: the thread grows at once, the draft only when the agent wants it. */
async function listen() {
  for await (const { event, data } of follow("/v1/conversations/events", { until: [] })) {
    if (event !== "changed" || data.conversation_id !== id) continue;
    const newer = data.changed_at !== stored.changed_at;
    entry = data;
    stored = await get(path, { quiet: true });
    paintActions();
    if (!newer) continue;
    paintThread(data.glance.escalation?.reasons ?? []);
    announce("A new message arrived in this conversation.");
    reply.outdated();
  }
}

const idle = () => !reply.editor;
addEventListener("beforeunload", (event) => { if (reply.unsaved) event.preventDefault(); });
shortcut("a", "Accept the draft: copied and noted, never sent", () => reply.accept(), { when: () => idle() && Boolean(reply.suggestion?.draft) });
shortcut("e", "Edit the draft", () => reply.edit(), { when: idle });
shortcut("r", "Reject the draft", () => reply.reject(), { when: idle });
shortcut("w", "Rewrite with another tone or an instruction", () => reply.toggleRewrite(), { when: idle });
shortcut("o", "Draft from other sources", () => reply.otherwise(), { when: idle });
shortcut("c", "Copy the reply", () => reply.copy());
shortcut("d", "Make a new draft", () => reply.make(), { when: idle });
shortcut("l", "Put the tags right", () => reply.correct(), { when: idle });
shortcut("s", "Hand-off summary", summary);
shortcut("x", "Resolve the conversation", resolve, { when: () => Boolean(stored && !stored.resolved_at) });
shortcut("n", "Next conversation", nextOne, { when: idle });
shortcut("k", "Ask the knowledge", () => { context.choose("ask"); asked.focusField(); });
shortcut("h", "The customer's history", () => context.choose("history", true));
shortcut("v", "Back to the conversation", () => context.choose("thread", true));
shortcut("mod+enter", "Accept the edited reply", () => reply.accept(), { when: () => Boolean(reply.editor) });
shortcut("esc", "Close the source", () => { if (context.chosen === "source") context.leave?.(); else closePanel(); });

open().catch((error) => mount("app", notice("bad", error.message ?? String(error))));
