// Evaluations: start a run and watch it, scores over time, and two runs beside each other.

import { get, post } from "../api.js";
import { figure, lineChart } from "../charts.js";
import { fill, h, words } from "../dom.js";
import { address, awaited, named, runLink, stateChip } from "../evaluating.js";
import { day, moment, plural } from "../text.js";
import { button, card, empty, field, input, mount, select, skeleton, table } from "../ui.js";

const SETTINGS = ["lexical_weight", "votes_weight", "map_weight", "recency_weight", "candidates", "abstain_below", "resolution_from", "seed", "resamples"];
const chosen = new Set();
const over = { suite: "", metric: "" };
let runs = [];

mount("app", skeleton(6));
load();

async function load() {
  runs = (await get("/v1/evaluations")).evaluations;
  show();
}

function show() {
  const progress = h("div", { class: "stack" });
  mount("app", h("div", { class: "columns wide-left" }, overTime(), starting(progress)), list());
  for (const run of runs.filter((one) => one.state === "queued" || one.state === "running")) watch(run, progress);
}

async function watch(run, list) {
  const box = h("div", {});
  list.append(h("section", { class: "stack tight" }, h("h3", {}, runLink(run)), box));
  const ended = await awaited(run, box);
  runs = runs.map((one) => (one.id === ended.id ? ended : one));
  if (ended.state === "done") show();
}

// ---- start ----

function starting(progress) {
  const suites = [...new Set(["demo", ...finished().map((one) => one.result.suite)])];
  const suite = input({ value: suites.at(-1), list: "suites", required: true, pattern: "[a-z0-9][a-z0-9\\-]{0,63}", autocomplete: "off", spellcheck: "false" });
  const changed = select([["", "nothing"], ...SETTINGS], {}), value = input({ type: "number", step: "any", min: "0", disabled: true });
  changed.addEventListener("change", () => { value.disabled = !changed.value; });
  const form = h("form", { class: "stack" },
    field("Suite", suite, { hint: "A shipped suite by its name. It gets an index of its own; yours is not touched." }),
    h("datalist", { id: "suites" }, suites.map((one) => h("option", { value: one }))),
    h("div", { class: "columns" }, field("Change", changed), field("to", value)),
    h("div", { class: "row" }, button("Start run", { icon: "play", kind: "primary", type: "submit" })));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const changes = changed.value && value.value !== "" ? { [changed.value]: Number(value.value) } : {};
    const run = await post("/v1/evaluations", { suite: suite.value, changes });
    runs = [run, ...runs];
    watch(run, progress);
  });
  return card("Start a run", {}, h("div", { class: "stack" }, form, progress));
}

// ---- over time ----

const finished = () => runs.filter((one) => one.kind === "evaluate" && one.state === "done" && one.result?.scores?.length);

function overTime() {
  const all = finished();
  if (!all.length) return card("Scores over time", {}, empty({ icon: "chart", title: "No finished run yet", text: "Start one: its scores, with their intervals, stand here." }));
  const suites = [...new Set(all.map((one) => one.result.suite))];
  if (!suites.includes(over.suite)) over.suite = suites[0];
  const some = all.filter((one) => one.result.suite === over.suite);
  const metrics = [...new Set(some.flatMap((one) => one.result.scores.map((score) => score.name)))];
  if (!metrics.includes(over.metric)) over.metric = metrics[0];
  const body = h("div", { class: "stack" });
  const pick = (name, choices) => select(choices, { value: over[name], "aria-label": `Show ${name}`, on: { change: (event) => { over[name] = event.target.value; show(); } } });
  const points = some.flatMap((run) => run.result.scores.filter((one) => one.name === over.metric).map((one) => ({ ...one, run, label: day(run.created_at) }))).reverse();
  const latest = points.at(-1);
  const said = `${over.metric} over ${plural(points.length, "run")}; the latest is ${figure(latest.value)}, between ${figure(latest.low)} and ${figure(latest.high)}`;
  fill(body, h("div", { class: "columns" }, pick("suite", suites), pick("metric", metrics)), h("div", { class: "row" }, h("strong", { class: "num" }, figure(latest.value)),
    h("span", { class: "muted small num" }, `95 %: ${figure(latest.low)} to ${figure(latest.high)}, ${plural(latest.n, "case")}`)),
  lineChart(points, { title: said }));
  return card("Scores over time", {}, body);
}

// ---- all of them ----

function list() {
  if (!runs.length) return null;
  const compare = button("Compare the two", { icon: "compare", run: comparing, disabled: chosen.size !== 2 });
  const rows = runs.map((run) => [runLink(run), stateChip(run), best(run), moment(run.finished_at), box(run, compare)]);
  return card("Runs and comparisons", { flush: true, actions: compare },
    table("Runs and comparisons", ["Run", "State", "First scores", "Finished", "Compare"], rows));
}

function best(run) {
  if (run.state === "failed") return h("span", { class: "bad small clip-2" }, words(run.error ?? ""));
  if (run.kind === "compare") {
    const found = (run.result?.differences ?? []).filter((one) => one.verdict === "better" || one.verdict === "worse");
    return run.result && h("span", { class: "small" }, found.length ? `${plural(found.length, "difference")} that chance does not explain` : "no difference that chance does not explain");
  }
  return h("dl", { class: "facts small" }, (run.result?.scores ?? []).slice(0, 3).flatMap((one) => [h("dt", {}, one.name), h("dd", { class: "num" }, figure(one.value))]));
}

function box(run, compare) {
  if (run.kind !== "evaluate" || run.state !== "done") return null;
  const mark = h("input", { type: "checkbox", "aria-label": `Compare ${named(run)} of ${moment(run.created_at)}` });
  mark.checked = chosen.has(run.id);
  mark.addEventListener("change", () => {
    if (mark.checked) chosen.add(run.id); else chosen.delete(run.id);
    compare.disabled = chosen.size !== 2;
  });
  return mark;
}

async function comparing() {
  const [b, a] = runs.filter((one) => chosen.has(one.id)).map((one) => one.id); // the older one first
  const job = await post("/v1/evaluations/compare", { a, b });
  location.assign(address(job.id));
}
