// Documents: what may be found and cited, with its state, where it came from and how new it is.

import { get } from "../api.js";
import { h, words } from "../dom.js";
import { audienceChip, documentAddress, kindChip, stateChip } from "../knowledge.js";
import { ago, count, day, moment } from "../text.js";
import { announce, button, empty, field, input, mount, select, skeleton, table } from "../ui.js";

const asked = new URLSearchParams(location.search);
const q = input({ type: "search", value: asked.get("q") ?? "", placeholder: "Title or id", maxlength: 200 });
const kind = select([["", "any kind"], ["article", "articles"], ["ticket", "tickets"], ["macro", "macros"]], { value: asked.get("kind") ?? "" });
const state = select([["in_force", "in force"], ["waiting", "not valid yet"], ["expired", "expired"], ["any", "any state"]], { value: asked.get("state") ?? "in_force" });
const source = asked.get("source") ?? "";
let rows = [], next = null, latest = 0;

mount("filters", h("form", { class: "filters", role: "search", on: { submit: (event) => { event.preventDefault(); load(); } } },
  field("Search", q), field("Kind", kind), field("State", state), source && h("p", { class: "small muted" }, "From ", words(source), " · ", h("a", { href: "/desk/documents" }, "all sources"))));
for (const control of [kind, state]) control.addEventListener("change", () => load());
let timer = 0;
q.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(load, 250); });
mount("app", skeleton(8));
await load();

function wanted() {
  return { q: q.value.trim(), kind: kind.value, state: state.value, source };
}

async function load() {
  const mine = (latest += 1), query = wanted();
  const told = new URLSearchParams(Object.entries(query).filter(([name, value]) => value && !(name === "state" && value === "in_force")));
  history.replaceState(null, "", location.pathname + (told.size ? `?${told}` : ""));
  const found = await get("/v1/documents", { query: { ...query, limit: 100 } });
  if (mine !== latest) return;
  rows = found.documents;
  next = found.next;
  show();
  announce(`${count(rows.length)}${next ? " or more" : ""} documents`);
}

async function more() {
  const found = await get("/v1/documents", { query: { ...wanted(), limit: 100, after: next } });
  rows = [...rows, ...found.documents];
  next = found.next;
  show();
}

function show() {
  if (rows.length === 0) {
    const any = q.value || kind.value || state.value !== "in_force" || source;
    mount("app", empty({ icon: "file", title: any ? "No document is like that" : "No documents yet", text: any ? "Change the search or the filters." : "Add a source or upload files under Sources." }));
    return;
  }
  mount("app", h("div", { class: "card dense" }, table("Documents", ["Title", "Kind", "State", { label: "Rev.", end: true }, { label: "Chunks", end: true }, "Source", "Changed", "Taken in"], rows.map(row))),
    next && h("div", { class: "row" }, button("Show more", { run: more })));
}

function row({ document, revision, state: stands, chunks, source: from, ingested_at: at }) {
  return [
    h("div", { class: "title-cell stack tight" }, h("a", { class: "clip-2", href: documentAddress(document.id) }, words(document.title || document.id)),
      h("span", { class: "small faint clip" }, words(document.id))),
    h("span", { class: "row tight keep" }, kindChip(document.kind), audienceChip(document.audience)), stateChip(stands), count(revision), count(chunks),
    from ? h("a", { href: `/desk/sources/${encodeURIComponent(from)}` }, from) : h("span", { class: "muted" }, "files"),
    h("span", { class: "muted" }, day(document.updated_at ?? document.resolved_at ?? document.created_at) || "–"),
    h("span", { class: "muted", title: moment(at) }, ago(at)),
  ];
}
