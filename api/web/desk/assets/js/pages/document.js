// One document: its text, its chunks, its revisions and what changed between two of them, and how suggestions used it.

import { del, get, segment, session } from "../api.js";
import { fill, h, icon, prose, words } from "../dom.js";
import { audienceChip, kindChip, stateChip } from "../knowledge.js";
import { ago, count, cut, moment, plural, Points } from "../text.js";
import { button, card, chip, confirm, empty, field, mount, notice, select, skeleton, tabs } from "../ui.js";

const id = session.params.document_id, address = `/v1/documents/${segment(id)}`;
const asked = new URLSearchParams(location.search);
const number = (name) => (asked.has(name) ? Number(asked.get(name)) : null);
const place = number("start") !== null && number("end") !== null ? { start: number("start"), end: number("end") } : null;
const revision = number("revision");

mount("app", skeleton(10));
let read = null;
open();

async function open() {
  try {
    read = await get(address, { query: { revision }, quiet: true });
  } catch (problem) {
    const missing = problem.status === 404;
    if (missing) mount("title", "Not found");
    mount("app", missing ? empty({ icon: "file", title: "There is no such document", text: "It was deleted, the address is wrong, or you may not see it.", actions: [h("a", { class: "button", href: "/desk/documents" }, "All documents")] }) : notice("bad", h("p", {}, problem.message)));
    return;
  }
  show();
}

function show() {
  const { document: head } = read;
  document.title = `${head.title || head.id} · Support Copilot`;
  mount("title", words(head.title || head.id));
  mount("chips", kindChip(head.kind), audienceChip(head.audience), stateChip(validity(head)), chip(`revision ${read.revision} of ${read.revisions.length}`),
    head.language && chip(head.language), head.url && h("a", { class: "row tight small", href: head.url }, "Original", icon("external")));
  mount("actions", session.has("knowledge_manager", "admin") && button("Delete", { icon: "trash", kind: "danger", run: remove }));
  const old = read.status !== "active" && notice("warn", h("p", {}, "This is an older revision. ", h("a", { href: location.pathname }, "Show the one in force")));
  const views = [
    { id: "text", label: "Text", show: rendered },
    { id: "plain", label: "Plain text", show: () => plain(place) },
    { id: "chunks", label: "Chunks", show: chunks },
    { id: "revisions", label: `Revisions (${read.revisions.length})`, show: revisions },
    { id: "use", label: "Use", show: use },
  ];
  mount("app", old, tabs("Views of the document", views, { chosen: views.some((one) => one.id === location.hash.slice(1)) ? location.hash.slice(1) : place ? "plain" : "text" }));
}

function validity(head) {
  if (read.status !== "active") return "retired";
  const now = Date.now();
  if (head.valid_until && Date.parse(head.valid_until) <= now) return "expired";
  return head.valid_from && Date.parse(head.valid_from) > now ? "waiting" : "in_force";
}

function later(load) {
  const box = h("div", {}, skeleton(8));
  load(box).catch((problem) => fill(box, notice("bad", h("p", {}, problem.message))));
  return box;
}

function rendered() {
  return later(async (box) => {
    const found = await get(`${address}/rendered`, { query: { revision: read.revision }, quiet: true });
    fill(box, card("", {}, prose(found.html)));
  });
}

function plain(span) {
  const pieces = cut(read.text, span ? [span] : []);
  const marks = pieces.map((one) => (one.span ? h("mark", { id: "words", tabindex: "-1" }, one.text) : one.text));
  const box = card("", {}, h("div", { class: "pre words text", dir: "auto" }, marks));
  if (span) requestAnimationFrame(() => { const mark = box.querySelector("mark"); mark?.scrollIntoView({ block: "center" }); mark?.focus({ preventScroll: true }); });
  return box;
}

function chunks() {
  return later(async (box) => {
    const found = await get(`${address}/chunks`, { query: { revision: read.revision }, quiet: true });
    const points = new Points(read.text);
    fill(box, found.chunks.length === 0 ? empty({ icon: "file", title: "No chunks", text: "There is nothing to find in this revision." })
      : h("ol", { class: "stack" }, found.chunks.map((one, at) => h("li", { class: "card chunk" },
        h("header", {}, h("h3", {}, `Chunk ${at + 1}`), h("span", { class: "small muted num" }, `${count(one.start)}–${count(one.end)} · ${plural(one.end - one.start, "character")}`),
          one.searchable ? null : chip("quoted, not searched", "info"), found.answer_start > 0 && one.start < found.answer_start && chip("problem")),
        h("div", { class: "body stack tight" }, one.headings.length > 0 && h("p", { class: "small muted words" }, one.headings.join(" › ")),
          h("div", { class: "pre words", dir: "auto" }, points.slice(one.start, one.end)))))));
  });
}

function revisions() {
  const names = read.revisions.map((one) => [String(one.revision), `Revision ${one.revision}, ${moment(one.created_at)}`]).reverse();
  const [newest, before = newest] = names;
  const left = select(names, { value: before[0] }), right = select(names, { value: newest[0] });
  const box = h("div", { "aria-live": "polite" });
  const compare = () => { if (left.value !== right.value) fill(box, later((inside) => differences(inside, left.value, right.value))); else fill(box, h("p", { class: "muted" }, "Choose two different revisions.")); };
  for (const control of [left, right]) control.addEventListener("change", compare);
  if (names.length > 1) compare();
  const list = card("Revisions", { flush: true }, h("ul", { class: "list" }, [...read.revisions].reverse().map((one) => h("li", {}, h("a", { class: "item", href: `${location.pathname}?revision=${one.revision}` },
    h("span", { class: "grow" }, `Revision ${one.revision}`), h("span", { class: "small muted", title: moment(one.created_at) }, ago(one.created_at)), stateChip(one.status))))));
  return h("div", { class: "stack" }, names.length > 1 && card("What changed", {}, h("div", { class: "stack" }, h("div", { class: "columns" }, field("From", left), field("To", right)), box)), list);
}

async function differences(box, old, now) {
  const { blocks } = await get(`${address}/changes`, { query: { old, new: now }, quiet: true });
  fill(box, blocks.length === 0 ? h("p", { class: "muted" }, "Both say the same.") : blocks.map((lines) =>
    h("ol", { class: "diff", "aria-label": "Changed place" }, lines.map((line) => h("li", { class: line.op },
      h("span", { class: "num faint", "aria-hidden": "true" }, line.old ?? ""), h("span", { class: "num faint", "aria-hidden": "true" }, line.new ?? ""),
      h("span", { class: "unseen" }, { removed: "removed: ", added: "added: ", same: "" }[line.op]),
      h("span", { class: "words pre", dir: "auto" }, line.pieces.map((one) => (one.changed && line.op !== "same" ? h(line.op === "added" ? "ins" : "del", {}, one.text) : one.text))))))));
}

function use() {
  return later(async (box) => {
    try {
      const found = await get(`/v1/insights/documents/${segment(id)}`, { quiet: true });
      fill(box, usage(found));
    } catch (problem) {
      if (problem.status !== 404) throw problem;
      fill(box, empty({ icon: "chart", title: "Nobody has used it yet", text: "Once suggestions cite this document, here is how often, and what agents made of them." }));
    }
  });
}

/** Numbers by name; each is shown as the server names it. */
function usage(found) {
  const numbers = Object.entries(found).filter(([, value]) => typeof value === "number");
  return card("How suggestions used it", {}, h("dl", { class: "facts" }, numbers.map(([name, value]) => [h("dt", {}, name.replaceAll("_", " ")), h("dd", { class: "num" }, share(name, value))])));
}

function share(name, value) {
  return /rate|share/.test(name) ? `${Math.round(value * 100)} %` : count(value);
}

async function remove() {
  const sure = await confirm({ title: "Delete this document?", text: "Nothing finds, quotes or shows it any more, and all its revisions are destroyed. A source that still has it brings it back at its next sync." });
  if (!sure) return;
  await del(address);
  location.assign("/desk/documents");
}
