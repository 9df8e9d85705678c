// The inbox: who needs an answer first, and what is new, without a reload.

import { follow, get } from "../api.js";
import { byId, fill, h, icon, words } from "../dom.js";
import { shortcut } from "../keys.js";
import { announce, button, empty, mount, select, skeleton } from "../ui.js";
import { count, plural, spoken } from "../text.js";
import { called, channelIcon, escalationChip, languageName, tagChips, waited } from "../agent/tags.js";

const PAGE = 100;
const asked = new URLSearchParams(location.search);
const wanted = Object.fromEntries(["state", "intent", "mood", "language", "escalated", "q"].map((name) => [name, asked.get(name) ?? ""]));
let entries = [], next = null, facets = null, turn = 0;
let seen = new Map();

const list = h("div", { class: "groups" });
const more = button("Show more", { run: () => load(entries.length + PAGE), hidden: true });
const summary = h("p", { class: "muted num", id: "inbox-summary" });
const search = h("input", { class: "input", type: "search", placeholder: "Search", "aria-label": "Search conversations", value: wanted.q, maxlength: 200, on: { input: typed } });
const selects = Object.fromEntries(["state", "intent", "mood", "language", "escalated"].map((name) => [name, h("select", { class: "input", "aria-label": NAMES()[name], on: { change: () => choose(name) } })]));

function NAMES() {
  return { state: "State", intent: "Intent", mood: "Mood", language: "Language", escalated: "Escalation" };
}

let pause = 0;
function typed() {
  clearTimeout(pause);
  pause = setTimeout(() => { wanted.q = search.value.trim(); changed(); }, 180);
}

function choose(name) {
  wanted[name] = selects[name].value;
  changed();
}

function changed() {
  const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value));
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  seen = new Map();
  load(PAGE);
}

/** The first so many conversations; an answer that a later question has overtaken is dropped. */
async function load(limit) {
  const mine = (turn += 1);
  const page = await get("/v1/conversations", { query: { ...wanted, limit: Math.min(limit, 200) } });
  if (mine !== turn) return;
  ({ conversations: entries, next, facets } = page);
  show();
}

function show() {
  const focused = document.activeElement?.closest?.("[data-id]")?.dataset.id;
  fill(list, groups().map(([name, some]) => group(name, some)));
  more.hidden = !next || entries.length >= 200;
  fill(summary, plural(facets.conversations, wanted.state === "resolved" ? "resolved conversation" : "conversation"),
    facets.urgent ? ` · ${count(facets.urgent)} urgent` : "", facets.escalated ? ` · ${count(facets.escalated)} to hand over` : "");
  options("intent", "Any intent", Object.entries(facets.intents).map(([label, n]) => [label, `${spoken(label)} (${n})`]));
  options("mood", "Any mood", Object.entries(facets.moods).map(([label, n]) => [label, `${spoken(label)} (${n})`]));
  options("language", "Any language", Object.entries(facets.languages).map(([code, n]) => [code, `${languageName(code)} (${n})`]));
  options("escalated", "All cases", [["true", "To hand over"], ["false", "Not to hand over"]]);
  mount("list", entries.length ? [list, more] : nothing());
  if (focused) list.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true }); // last: mounting takes focus away
  for (const one of entries) seen.set(one.conversation_id, one.changed_at);
}

function options(name, any, pairs) {
  const known = pairs.some(([value]) => value === wanted[name]) || !wanted[name] ? pairs : [...pairs, [wanted[name], spoken(wanted[name])]];
  fill(selects[name], [["", any], ...known].map(([value, label]) => h("option", { value, selected: value === wanted[name] }, label)));
}

function nothing() {
  const narrowed = Object.entries(wanted).some(([name, value]) => value && name !== "state");
  if (narrowed) return empty({ icon: "search", title: "No conversation fits", text: "Take a filter away or search for other words.", actions: [button("Clear filters", { run: clear })] });
  return empty({ icon: "inbox", title: "Nothing is waiting", text: "Conversations appear here as they arrive over POST /v1/conversations. Without a help desk, paste a message.", actions: [h("a", { class: "button primary", href: "/desk/paste" }, "Paste a message")] });
}

function clear() {
  for (const name of Object.keys(wanted)) wanted[name] = "";
  search.value = "";
  changed();
}

/** The entries by how soon they need an answer, in the server's order. */
function groups() {
  const found = new Map();
  for (const one of entries) {
    const name = groupOf(one);
    if (!found.has(name)) found.set(name, []);
    found.get(name).push(one);
  }
  return [...found];
}

function groupOf({ glance, resolved_at }) {
  if (resolved_at) return "Resolved";
  if (!glance.waiting_since) return "Answered, waiting for the customer";
  if (!glance.triage) return "Without words";
  return ["Can wait", "Normal", "Urgent"][Math.floor((glance.rank % 100) / 10)];
}

function group(name, some) {
  return h("section", { "aria-label": name }, h("h2", { class: name === "Urgent" ? "bad" : "" }, name), h("ul", { class: "list rows" }, some.map(row)));
}

function row(entry) {
  const { glance } = entry, fresh = seen.size > 0 && seen.get(entry.conversation_id) !== entry.changed_at;
  const wait = glance.waiting_since;
  return h("li", {}, h("a", { class: `item entry${fresh ? " fresh" : ""}`, href: `/desk/conversations/${encodeURIComponent(entry.conversation_id)}`, data: { id: entry.conversation_id } },
    h("span", { class: "channel", title: glance.channel }, channelIcon(glance.channel), h("span", { class: "unseen" }, `${glance.channel}, `)),
    h("span", { class: "who clip" }, words(called(glance.customer))),
    h("span", { class: "what" },
      glance.subject && h("span", { class: "subject" }, words(glance.subject)), " ",
      h("span", { class: "muted" }, words(glance.snippet || "No words"))),
    h("span", { class: "row tight keep chips" }, escalationChip(glance.escalation), tagChips(glance.triage, { urgency: false })),
    h("span", { class: "wait num", data: wait ? { since: wait } : {} }, wait ? [h("span", { class: "unseen" }, "waiting "), waited(wait)] : h("span", { class: "faint" }, entry.resolved_at ? "resolved" : "answered"))));
}

/** Move between rows with j and k. */
function step(by) {
  const rows = [...list.querySelectorAll("a.entry")];
  const at = rows.indexOf(document.activeElement);
  rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)]?.focus();
}

async function listen() {
  let queued = 0;
  for await (const { event, data } of follow("/v1/conversations/events", { until: [] })) {
    const known = event !== "changed" || seen.get(data.conversation_id) === data.changed_at; // the last news of one stream is told again by the next
    if (!known && data.glance.waiting_since && !data.resolved_at) announce(`New message from ${called(data.glance.customer)}`);
    clearTimeout(queued);
    queued = setTimeout(() => load(Math.max(entries.length, PAGE)), 120);
  }
}

setInterval(() => {
  for (const cell of list.querySelectorAll("[data-since]")) cell.lastChild.textContent = waited(cell.dataset.since);
}, 30_000);

shortcut("j", "Next conversation", () => step(1));
shortcut("k", "Previous conversation", () => step(-1));
shortcut("p", "Paste a message", () => location.assign("/desk/paste"));

fill(selects.state, [["", "Open"], ["resolved", "Resolved"], ["all", "All"]].map(([value, label]) => h("option", { value, selected: value === wanted.state }, label)));
fill(byId("filters"), h("div", { class: "search" }, icon("search"), search), Object.values(selects));
fill(byId("summary"), summary);
mount("list", skeleton(8));
await load(PAGE);
listen();
