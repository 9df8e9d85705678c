// The audit log: who saw and did what. Ids and times, never words.

import { get } from "../api.js";
import { h, words } from "../dom.js";
import { documentAddress } from "../knowledge.js";
import { moment } from "../text.js";
import { button, empty, mount, skeleton, table } from "../ui.js";

const principal = new URLSearchParams(location.search).get("principal");
let entries = [], next = null;

mount("app", skeleton(8));
await more();

async function more() {
  const found = await get("/v1/audit", { query: { principal, before: next, limit: 100 } });
  entries = [...entries, ...found.entries];
  next = found.next;
  mount("app", principal && h("p", { class: "muted" }, "Only ", words(principal), " · ", h("a", { href: "/desk/audit" }, "everybody")),
    entries.length ? h("div", { class: "card dense" }, table("Audit log", ["When", "Who", "Did", "To"], entries.map(row))) : empty({ icon: "log", title: "Nothing yet", text: "Who reads or changes something is written down here." }),
    next && h("div", { class: "row" }, button("Show older", { run: more })));
}

function row(entry) {
  const who = h("a", { href: `/desk/audit?principal=${encodeURIComponent(entry.principal)}` }, words(entry.name ?? entry.principal));
  const what = entry.object && (entry.action.startsWith("document.") ? h("a", { href: documentAddress(entry.object) }, words(entry.object)) : words(entry.object));
  return [h("span", { class: "num" }, moment(entry.at)), who, h("code", {}, entry.action), what || h("span", { class: "muted" }, "–")];
}
