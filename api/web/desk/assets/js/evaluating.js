// What the evaluator's pages share: runs, their state, and following one until it ends.

import { follow, segment } from "./api.js";
import { fill, h, words } from "./dom.js";
import { count, moment, spoken } from "./text.js";
import { announce, chip, notice, progressBar } from "./ui.js";

const KINDS = { queued: "", running: "info dot", done: "ok", failed: "bad" };
const STAGES = { ingest: "bringing the documents in", ask: "asking the cases", measure: "measuring", intervals: "putting intervals on the scores" };

export const address = (id, more = {}) => `/desk/evaluations/${segment(id)}${Object.keys(more).length ? `?${new URLSearchParams(more)}` : ""}`;
export const stateChip = (run) => chip(run.state, KINDS[run.state] ?? "");

/** What a run measured, or what a comparison compared. */
export const named = (run) => (run.kind === "compare" ? "Comparison" : run.result?.suite ?? "Run");

/** A run as a link. */
export const runLink = (run) => h("a", { href: address(run.id) }, words(named(run)), " ", h("span", { class: "muted num" }, moment(run.created_at)));

/** A bar in the box until the run has ended; answers the run as it is then. */
export async function awaited(run, box, signal) {
  const bar = progressBar(`Progress of ${named(run)}`);
  bar.show({ text: "waiting for its turn" });
  fill(box, bar);
  let last = run;
  for await (const { data } of follow(`/v1/evaluations/${segment(run.id)}/events`, { signal })) {
    last = data;
    const { stage, done, total } = data.progress ?? {};
    if (stage) bar.show({ done, total, text: `${STAGES[stage] ?? spoken(stage)}: ${count(done)} of ${count(total)}` });
    else if (data.state === "running") bar.show({ text: "at work" });
  }
  announce(`${named(last)}: ${last.state}`);
  if (last.state === "failed") fill(box, notice("bad", h("p", {}, words(last.error ?? "It failed; the server's log says why."))));
  return last;
}
