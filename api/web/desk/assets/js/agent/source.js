// A source's text with the cited words marked, and every line where its offsets say.

import { get, segment } from "../api.js";
import { fill, h, icon, words } from "../dom.js";
import { chip, notice, skeleton } from "../ui.js";
import { cut, day } from "../text.js";

const HEADING = /^(#{1,6}) /;
const read = new Map();

/** A view of the source that fills itself: `spans` are code point offsets into the revision's text; the first one is scrolled to. */
export function sourceView({ document_id, revision, title, url, kind }, spans) {
  const box = h("div", { class: "stack source" }, head({ title, url, kind }), skeleton(6));
  load(document_id, revision).then(
    (found) => {
      fill(box, head({ title: found.document.title, url: found.document.url, kind: found.document.kind, found }), lines(found.text, spans));
      box.querySelector("mark.first")?.scrollIntoView({ block: "center" });
    },
    () => fill(box, head({ title, url, kind }), notice("warn", "This source is no longer available to you. What rested on it has been withdrawn.")));
  return box;
}

async function load(id, revision) {
  const key = `${id}\n${revision ?? ""}`;
  if (!read.has(key)) {
    const asked = get(`/v1/documents/${segment(id)}`, { query: { revision }, quiet: true });
    read.set(key, asked);
    asked.catch(() => read.delete(key));
  }
  return read.get(key);
}

function head({ title, url, kind, found = null }) {
  const { document, revision, status } = found ?? {};
  const solved = document?.resolved_at ?? document?.updated_at;
  return h("div", { class: "stack tight" },
    h("h3", { class: "source-title" }, url ? h("a", { href: url }, words(title), " ", icon("external")) : words(title)),
    h("p", { class: "row tight small muted" }, chip(kind),
      document && document.audience !== "public" ? chip(document.audience, "warn") : null,
      status === "retired" ? chip("replaced since", "warn") : null,
      revision ? h("span", {}, `revision ${revision}`) : null, solved ? h("span", {}, `· ${day(solved)}`) : null));
}

/** The text line by line; a heading's marks are faint, nothing is taken out, so that offsets stay what they are. */
function lines(text, spans) {
  const made = [];
  let at = 0;
  for (const line of text.split("\n")) {
    const length = [...line].length, inside = spans
      .filter((one) => one.start < at + length && one.end > at)
      .map((one) => ({ kind: one === spans[0] ? "cited first" : one.cited ? "cited" : "other", start: Math.max(one.start - at, 0), end: Math.min(one.end - at, length) }));
    const heading = HEADING.exec(line);
    made.push(h("div", { class: heading ? `line heading-${Math.min(heading[1].length, 3)}` : "line" },
      cut(line, inside).map((piece) => (piece.span ? h("mark", { class: piece.span.kind }, piece.text) : piece.text))));
    at += length + 1;
  }
  return h("div", { class: "source-text words", dir: "auto" }, made);
}
