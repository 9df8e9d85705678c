// Retrieval test: what a query finds, with the scores of each arm, and what came near but was cut, and by which filter.

import { get } from "../api.js";
import { h, words } from "../dom.js";
import { shortcut } from "../keys.js";
import { audienceChip, documentAddress, kindChip } from "../knowledge.js";
import { count, plural, spoken } from "../text.js";
import { announce, button, busy, card, chip, empty, field, input, mount, select, skeleton } from "../ui.js";

const asked = new URLSearchParams(location.search);
const q = h("textarea", { class: "input", rows: 2, maxlength: 4000, required: true, placeholder: "A customer's words, or your own question" });
q.value = asked.get("q") ?? "";
const kind = select([["", "articles and tickets"], ["article", "articles"], ["ticket", "tickets"], ["macro", "macros"]], { value: asked.get("kind") ?? "" });
const audience = select([["", "all that you may see"], ["public", "public"], ["internal", "internal"]], { value: asked.get("audience") ?? "" });
const language = input({ value: asked.get("language") ?? "", placeholder: "any", maxlength: 16, pattern: "[A-Za-z\\-]{2,16}" });
const before = input({ type: "datetime-local", value: asked.get("before") ?? "" });
const limit = input({ type: "number", min: 1, max: 50, value: asked.get("limit") ?? "10" });
const go = button("Search", { icon: "search", kind: "primary", type: "submit" });
const form = h("form", { class: "stack", role: "search" }, field("Query", q),
  h("div", { class: "filters" }, field("Kind", kind), field("Audience", audience), field("Language", language), field("Known before (UTC)", before), field("Results", limit)),
  h("div", { class: "row" }, go));
const ARMS = { dense: "meaning", lexical: "words", votes: "solved cases", map: "learned map" };
const CUTS = { kind: "another kind", audience: "another audience", language: "another language", before: "newer than that time", not_yet_valid: "not valid yet", expired: "expired", version: "another version", limit: "below the limit" };

form.addEventListener("submit", (event) => { event.preventDefault(); busy(go, search); });
q.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
shortcut("/", "Go to the query", () => q.focus());
mount("query", card("", {}, form));
mount("app", empty({ icon: "search", title: "What would the copilot find?", text: "Ask in a customer's words. You see each document with its scores, and what was cut." }));
if (q.value.trim()) await search();

async function search() {
  const query = { q: q.value.trim(), kind: kind.value, audience: audience.value, language: language.value.trim(), before: before.value, limit: limit.value };
  if (!query.q) return q.focus();
  history.replaceState(null, "", `${location.pathname}?${new URLSearchParams(Object.entries(query).filter(([, value]) => value))}`);
  mount("app", skeleton(8));
  try {
    show(await get("/v1/search", { query: { ...query, before: query.before && `${query.before}:00Z`, explain: true } }));
  } catch (problem) {
    mount("app", empty({ icon: "alert", title: "That could not be searched", text: problem.message }));
  }
}

function show({ results, cut, timings_ms: took, index_revision: index }) {
  const milliseconds = Object.values(took).reduce((sum, one) => sum + one, 0);
  mount("app",
    h("p", { class: "small muted num" }, `${plural(results.length, "document")} in ${Math.round(milliseconds)} ms · index revision ${index}`),
    results.length ? h("ol", { class: "stack", "aria-label": "Results" }, results.map((hit, at) => found(hit, at + 1))) : empty({ icon: "search", title: "Nothing was found", text: "Loosen the filters, or see below what they cut." }),
    cut?.length > 0 && card(`Cut (${count(cut.length)})`, { flush: true }, h("ul", { class: "list" }, cut.map(dropped))));
  announce(`${plural(results.length, "document")} found`);
}

function found(hit, place) {
  return h("li", { class: "card" },
  h("header", {}, h("span", { class: "num muted" }, `${place}.`), h("h2", {}, h("a", { href: documentAddress(hit.document_id) }, words(hit.title || hit.document_id))), kindChip(hit.kind), audienceChip(hit.audience),
    h("strong", { class: "num", title: "score" }, hit.score.toFixed(3))),
  h("div", { class: "body hit" }, arms(hit.scores), h("ul", { class: "stack" }, hit.passages.map((passage) => h("li", { class: "passage" },
    passage.headings.length > 0 && h("p", { class: "small muted words" }, passage.headings.join(" › ")),
    h("p", { class: "words clip-4" }, passage.text),
    h("p", { class: "small" }, h("a", { href: documentAddress(hit.document_id, { revision: hit.revision, start: passage.start, end: passage.end }) }, "In the document"),
      h("span", { class: "muted num" }, ` · ${told(passage.scores)}`)))))));
}

function told(scores) {
  return Object.entries(scores).map(([arm, score]) => `${ARMS[arm] ?? spoken(arm)} ${score.toFixed(3)}`).join(" · ");
}

function arms(scores) {
  return h("div", { class: "bars small" }, Object.entries(scores).map(([arm, score]) => [
  h("span", { class: "muted" }, ARMS[arm] ?? spoken(arm)), h("meter", { min: 0, max: 1, value: Math.max(0, score), "aria-label": ARMS[arm] ?? spoken(arm) }), h("span", { class: "num" }, score.toFixed(3))]));
}

function dropped({ hit, by }) {
  return h("li", { class: "item wrap" },
  h("span", { class: "grow clip" }, h("a", { href: documentAddress(hit.document_id) }, words(hit.title || hit.document_id))),
  h("span", { class: "row tight" }, by.map((one) => chip(CUTS[one] ?? spoken(one), one === "limit" ? "" : "warn", "filter"))), h("span", { class: "num muted" }, hit.score.toFixed(3)));
}
