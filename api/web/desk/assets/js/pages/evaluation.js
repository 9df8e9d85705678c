// One run: its scores, its cases worst first, its report; or one comparison of two runs.

import { get, segment, session } from "../api.js";
import { figure, intervalBar } from "../charts.js";
import { fill, h, words } from "../dom.js";
import { address, awaited, named, stateChip } from "../evaluating.js";
import { Points, count, moment, plural, spoken } from "../text.js";
import { chip, empty, input, mount, notice, panel, skeleton, table, tabs } from "../ui.js";

const id = session.params.evaluation_id;
const own = `/v1/evaluations/${segment(id)}`;
const asked = new URLSearchParams(location.search);
const VERDICTS = { better: "ok", worse: "bad", same: "" };

mount("app", skeleton(8));
load();

async function load() {
  const run = await get(own);
  document.querySelector(".page-head h1").textContent = `${named(run)}, ${moment(run.created_at)}`;
  if (run.state === "queued" || run.state === "running") {
    const box = h("div", {});
    mount("app", head(run), box);
    return (await awaited(run, box)).state === "done" ? load() : null;
  }
  if (run.state === "failed") return mount("app", head(run), notice("bad", h("p", {}, words(run.error ?? "It failed; the server's log says why."))));
  if (run.kind === "compare") return mount("app", head(run), compared(run.result));
  return show(run);
}

const head = (run) => h("div", { class: "row" }, h("a", { href: "/desk/evaluations" }, "All evaluations"), stateChip(run));

async function show(run) {
  const [results, { cases }] = await Promise.all([get(`${own}/results`), get(`${own}/cases`)]);
  const views = [
    { id: "scores", label: `Scores (${count(results.scores.length)})`, show: () => scores(results) },
    { id: "cases", label: `Cases (${count(cases.length)})`, show: () => listed(cases) },
    { id: "report", label: "Report", show: () => h("iframe", { class: "report", src: `${own}/report`, title: "The run's report", sandbox: "allow-scripts" }) },
    { id: "protocol", label: "Protocol", show: () => protocol(run, results) },
  ];
  mount("app", head(run), tabs("Views of the run", views, { chosen: asked.has("case") ? "cases" : asked.get("view") ?? "scores", changed: remember }));
  if (asked.has("case")) open(asked.get("case"));
}

function remember(view) {
  history.replaceState(null, "", address(id, { view }));
}

// ---- scores ----

function scores(results) {
  const broken = results.scores.filter((one) => one.invariant && one.value < 1);
  const groups = Map.groupBy ? Map.groupBy(results.scores, group) : grouped(results.scores);
  return h("div", { class: "stack loose" },
    broken.length > 0 && notice("bad", h("p", {}, `Promises that do not hold on every case: ${broken.map((one) => one.name).join(", ")}`)),
    [...groups].map(([name, some]) => h("section", { class: "card" }, h("header", {}, h("h2", {}, spoken(name))),
      table(`Scores of ${name}`, ["Metric", { label: "Value", end: true }, "95 % interval", { label: "Cases", end: true }, "What it says"], some.map(row)))),
    results.notes.length > 0 && h("ul", { class: "stack tight small muted" }, results.notes.map((note) => h("li", {}, words(note)))));
}

const group = (score) => score.name.split(".")[0];

function grouped(list) {
  const found = new Map();
  for (const one of list) found.set(group(one), [...(found.get(group(one)) ?? []), one]);
  return found;
}

const row = (one) => [
  one.name, h("span", { class: "num" }, figure(one.value)),
  h("div", {}, one.value <= 1 && one.low >= 0 && intervalBar(one), h("span", { class: "small muted num" }, `${figure(one.low)} to ${figure(one.high)}`)),
  h("span", { class: "num" }, count(one.n)), h("span", { class: "small muted" }, one.about, one.better === "lower" ? " Lower is better." : ""),
];

function protocol(run, { protocol: made }) {
  const facts = Object.entries(made).map(([name, value]) => [spoken(name), typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "none")]);
  return h("div", { class: "stack" }, h("dl", { class: "facts" }, facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, words(value))])),
    h("p", { class: "small muted" }, words(run.result?.protocol ?? "")));
}

// ---- cases ----

function listed(cases) {
  const found = h("ul", { class: "list card" }), told = h("p", { class: "small muted", role: "status" });
  const search = input({ type: "search", placeholder: "Search words, verdicts, ids", "aria-label": "Search the cases" });
  const fit = () => {
    const wanted = search.value.trim().toLowerCase();
    const some = cases.filter((one) => !wanted || `${one.id} ${one.asked} ${one.verdict}`.toLowerCase().includes(wanted));
    told.textContent = `${plural(some.filter((one) => one.grave).length, "case")} that would mislead a customer or leave them without the answer, of ${count(some.length)}`;
    fill(found, some.length ? some.map(item) : h("li", {}, empty({ icon: "search", title: "No such case" })));
  };
  search.addEventListener("input", fit);
  fit();
  return h("div", { class: "stack" }, h("div", { class: "row" }, h("div", { class: "grow" }, search)), told, found);
}

const item = (one) => h("li", {}, h("button", { class: "item", type: "button", on: { click: () => open(one.id) } },
  h("span", { class: "grow stack tight" }, h("span", { class: "clip-2" }, words(one.asked || one.id)), h("span", { class: "small muted" }, one.verdict)),
  chip(one.status, one.status === "abstained" ? "warn" : ""), one.faults.length > 0 && chip(one.faults[0].blame, one.grave ? "bad" : "warn")));

async function open(caseId) {
  const [found, { cases }] = await Promise.all([get(`${own}/cases/${segment(caseId)}`), get(`${own}/cases`)]);
  history.replaceState(null, "", address(id, { case: caseId }));
  const faults = cases.find((one) => one.id === caseId)?.faults ?? [];
  const box = panel(`Case ${caseId}`, wrong(faults), message(found.case), gold(found.case), draft(found.suggestion), ranked(found), rows(found.rows));
  box.querySelector(".body").tabIndex = 0; // it scrolls, so the keyboard must reach it
}

const section = (title, ...children) => h("section", { class: "stack tight" }, h("h3", {}, title), children);

const wrong = (faults) => (faults.length
  ? section("What is wrong", h("ul", { class: "stack tight" }, faults.map((one) => h("li", {}, one.why, " ", chip(one.blame, one.badness >= 40 ? "bad" : "warn")))))
  : notice("ok", h("p", {}, "Nothing is known to be wrong.")));

const message = ({ conversation }) => section(`The message (${conversation.channel})`,
  conversation.subject && h("p", {}, h("strong", {}, words(conversation.subject))),
  conversation.messages.map((one) => h("p", { class: "said pre" }, h("span", { class: "small muted" }, one.author, ": "), words(one.text))));

function gold(known) {
  const facts = [["right documents", (known.gold_docs ?? []).join(", ")], ["right tickets", (known.gold_tickets ?? []).join(", ")],
    ["answerable", known.answerable === null ? "" : known.answerable ? "yes" : "no"], ["intent", known.intent], ["mood", known.sentiment], ["urgency", known.urgency],
    ["a person needed", known.escalate === null ? "" : known.escalate ? "yes" : "no"], ["reference reply", known.reference_reply]].filter(([, value]) => value);
  if (!facts.length) return section("Known of the answer", h("p", { class: "muted" }, "Nobody labelled this case."));
  return section("Known of the answer", h("dl", { class: "facts" }, facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, words(value))])));
}

function draft({ draft: made, status, abstention, triage }) {
  const tags = h("p", { class: "row tight" }, chip(status), chip(spoken(triage.intent.label), "info"), chip(spoken(triage.sentiment.label)), chip(`urgency ${triage.urgency.label}`));
  if (!made) return section("No draft", tags, h("p", {}, words(abstention?.reason ?? "")));
  const points = new Points(made.text);
  return section("The draft", tags,
    made.statements.map((one) => h("div", { class: `said ${one.citations.length ? "cited" : one.support}` }, h("p", { class: "pre" }, words(points.slice(one.start, one.end))),
      one.citations.map((cited) => h("blockquote", { class: "small muted" }, "“", words(cited.quote), "” ", words(cited.title), " ", h("code", {}, words(cited.document_id)))))),
    made.dropped.length > 0 && h("div", { class: "stack tight" }, h("h3", {}, "Dropped"), made.dropped.map((one) => h("p", { class: "small" }, h("del", {}, words(one.text)), " ", words(one.reason)))));
}

function ranked({ ranked: found, case: known }) {
  const right = new Set([...(known.gold_docs ?? []), ...(known.gold_tickets ?? [])]);
  return section("What search found", Object.entries(found).map(([kind, ids]) => h("div", {}, h("p", { class: "small muted" }, kind),
    h("ol", { class: "stack tight small" }, ids.slice(0, 10).map((one, at) => h("li", {}, `${at + 1}. `, words(one), " ", right.has(one) && chip("right", "ok")))))));
}

const rows = (found) => section("Its row of each metric", h("dl", { class: "facts small" },
  Object.entries(found).flatMap(([name, value]) => [h("dt", {}, name), h("dd", { class: "num" }, words(Array.isArray(value) ? value.join(" · ") : String(value)))])));

// ---- a comparison ----

function compared(found) {
  const rowsOf = found.differences.map((one) => [one.name, figure(one.a), figure(one.b), (one.difference > 0 ? "+" : "") + figure(one.difference),
    `${figure(one.low)} to ${figure(one.high)}`, figure(one.p_holm), `${count(one.wins)} / ${count(one.losses)}`, chip(one.verdict ?? "no direction", VERDICTS[one.verdict] ?? "")]);
  const end = (label) => ({ label, end: true });
  return h("div", { class: "stack" },
    h("p", {}, `${plural(found.cases, "case")} that both runs asked: `, words(found.a), " (a) and ", words(found.b), " (b)."),
    h("section", { class: "card" }, table("Differences", ["Metric", end("a"), end("b"), end("b − a"), "95 % interval", end("p (Holm)"), end("wins / losses"), "b is"], rowsOf)),
    h("ul", { class: "stack tight small muted" }, found.notes.map((note) => h("li", {}, words(note)))));
}
