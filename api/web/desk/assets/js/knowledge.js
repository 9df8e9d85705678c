// What the knowledge pages share: links to documents and their words, chips, jobs with live progress, what a sync did.

import { follow, segment } from "./api.js";
import { fill, h, icon, words } from "./dom.js";
import { count, duration, plural, spoken } from "./text.js";
import { announce, chip, notice, progressBar } from "./ui.js";

/** The address of a document's page; with a revision and code point offsets it opens at these words. */
export function documentAddress(id, { revision, start, end } = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ revision, start, end })) if (value !== undefined && value !== null) query.set(name, value);
  return `/desk/documents/${segment(id)}${query.size ? `?${query}` : ""}`;
}

/** A document's title as a link to its page. */
export const documentLink = (one) =>
  h("a", { href: documentAddress(one.document_id ?? one.id, { revision: one.revision }) }, words(one.title || one.document_id || one.id));

export const kindChip = (kind) => chip(kind, "", { article: "file", ticket: "chat", macro: "copy" }[kind] ?? "file");

/** Who may see it: nothing for the public, a chip for the rest. */
export const audienceChip = (audience) => (audience === "public" ? null : chip(audience, "info", "user"));

const STATES = { in_force: ["in force", "ok"], waiting: ["not valid yet", "warn"], expired: ["expired", "bad"], active: ["in force", "ok"], retired: ["replaced", ""] };
export const stateChip = (state) => chip(...(STATES[state] ?? [spoken(state), ""]));

/** A citation: the words, and a link that opens them in their document. */
export const quoted = (citation, label = null) =>
  h("figure", { class: "quote stack tight" },
    label && h("span", { class: "small muted" }, label),
    h("blockquote", { class: "words" }, words(citation.quote)),
    h("figcaption", { class: "row tight small" }, h("a", { href: documentAddress(citation.document_id, citation) }, words(citation.title || citation.document_id)),
      citation.url && h("a", { href: citation.url, class: "row tight", "aria-label": `${citation.title}: original page` }, icon("external"))));

const SAID = [["added", "added", "would be added"], ["changed", "changed", "would change"], ["retired", "retired", "would be retired"],
  ["unchanged", "unchanged", "unchanged"], ["skipped", "left out", "would be left out"], ["failed", "failed", "would fail"]];

/** "3 added, 1 changed, 20 unchanged" */
export function counted(summary, dry = false) {
  const found = SAID.filter(([name]) => summary[name]).map(([name, done, would]) => `${count(summary[name])} ${dry ? would : done}`);
  return found.join(", ") || "nothing to do";
}

/** What a sync or upload did, or would do: counts, the documents by id, and what went wrong. */
export function outcome(summary, { dry = false } = {}) {
  const lists = ["added", "changed", "retired"].filter((name) => summary.ids?.[name]?.length);
  return h("div", { class: "stack" },
    notice(summary.failed ? "warn" : "ok", h("p", {}, counted(summary, dry) + (dry ? "" : ` in ${duration(summary.seconds ?? 0)}`))),
    lists.map((name) => h("section", { class: "stack tight" },
      h("h3", {}, `${spoken(SAID.find(([one]) => one === name)[dry ? 2 : 1])} (${count(summary[name])})`),
      h("ul", { class: "ids" }, summary.ids[name].map((id) => h("li", {}, name === "retired" || (dry && name === "added") ? words(id) : h("a", { href: documentAddress(id) }, words(id))))),
      summary[name] > summary.ids[name].length && h("p", { class: "small muted" }, `and ${count(summary[name] - summary.ids[name].length)} more`))),
    problems(summary.problems ?? []));
}

/** Files and rows that were not taken, and why. */
export const problems = (list) => list.length > 0 && h("section", { class: "stack tight" },
  h("h3", {}, `Not taken (${count(list.length)})`),
  h("ul", { class: "stack tight" }, list.map((one) => h("li", { class: "small" }, h("span", { class: "bad" }, words(one.origin)), " ", words(one.reason)))));

/** Follow a job in a box: a bar with rate and time left, then what `finished(job)` returns. Answers the job as it ended. */
export async function followed(job, box, finished = (ended) => outcome(ended.result ?? {}), label = spoken(job.kind)) {
  const bar = progressBar(label);
  bar.show({ text: "waiting for its turn" });
  fill(box, bar);
  let last = job;
  for await (const { event, data } of follow(`/v1/jobs/${segment(job.id)}/events`, { until: ["done", "failed"] })) {
    last = data;
    if (event === "progress") bar.show({ done: data.progress.done, total: data.progress.total, text: far(data) });
  }
  if (last.state === "failed") fill(box, notice("bad", h("p", {}, words(last.error ?? "It failed; the server's log says why."))));
  else fill(box, finished(last));
  announce(`${label}: ${last.state}`);
  return last;
}

function far({ state, progress }) {
  if (state === "queued") return "waiting for its turn";
  if (!progress?.done) return "at work";
  const of = progress.total ? `${count(progress.done)} of ${count(progress.total)}` : plural(progress.done, "document");
  const rate = progress.rate ? ` · ${progress.rate} a second` : "";
  return of + rate + (progress.eta_seconds ? ` · about ${duration(progress.eta_seconds)} left` : "");
}

/** Whether the sync's error is the brake on mass deletions. */
export const isBrake = (job) => job.state === "failed" && /allow.mass.delete/.test(job.error ?? "");

