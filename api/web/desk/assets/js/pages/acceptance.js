// Acceptance: what agents did with suggestions, over time and by what was suggested; and the tickets made of what they sent.

import { del, get, segment, session } from "../api.js";
import { barChart, figure, intervalBar, legend } from "../charts.js";
import { h, words } from "../dom.js";
import { count, day, duration, moment, plural, spoken } from "../text.js";
import { button, card, chip, confirm, empty, mount, select, skeleton, table, tabs, toast } from "../ui.js";

const asked = new URLSearchParams(location.search);
const chosen = { days: asked.get("days") ?? "90", period: asked.get("period") ?? "day" };

mount("app", skeleton(8));
load();

async function load() {
  const mine = session.has("agent", "knowledge_manager", "admin");
  const [found, made] = await Promise.all([get("/v1/insights/acceptance", { query: chosen }), mine ? get("/v1/learned") : null]);
  show(found, made?.learned);
}

function show(found, learned) {
  const all = found.total.accepted + found.total.edited + found.total.rejected;
  mount("app", h("div", { class: "row" }, pick("days", "How far back", [["7", "7 days"], ["30", "30 days"], ["90", "90 days"], ["365", "a year"]]),
    pick("period", "Step", [["day", "by day"], ["week", "by week"]])),
  all ? [figures(found, all), overTime(found), h("div", { class: "columns" }, distances(found), deciding(found)), groups(found)]
    : empty({ icon: "check", title: "No decision yet", text: "Once agents accept, edit or reject suggestions, this page shows how often, how fast and on what." }),
  learned && tickets(learned));
}

function pick(name, label, choices) {
  return h("div", {}, select(choices, { value: chosen[name], "aria-label": label, on: { change: (event) => {
    chosen[name] = event.target.value;
    history.replaceState(null, "", `?${new URLSearchParams(chosen)}`);
    load();
  } } }));
}

const tile = (label, value, more = "") => h("div", { class: "figure" }, h("span", { class: "small muted" }, label), h("strong", {}, value), h("span", { class: "small muted num" }, more));
const percent = (share) => `${(100 * share).toFixed(0)} %`;

function figures({ total, decided_in, copied }, all) {
  const of = (number) => `${percent(number / all)} of ${count(all)}`;
  return h("div", { class: "figures" },
    tile("Sent as it was", count(total.accepted), `${of(total.accepted)}, 95 %: ${percent(total.low)} to ${percent(total.high)}`),
    tile("Sent with changes", count(total.edited), of(total.edited)), tile("Not sent", count(total.rejected), of(total.rejected)),
    tile("Time to decide", decided_in.p50 === null ? "–" : duration(decided_in.p50), decided_in.count ? `median of ${plural(decided_in.count, "decision")}` : "no times told"),
    tile("Copied from", count(copied), of(copied)));
}

function overTime({ periods }) {
  const bars = periods.map((one) => ({ label: day(one.name), parts: [one.accepted, one.edited, one.rejected] }));
  const last = periods.at(-1);
  const title = `Decisions over ${plural(periods.length, chosen.period)}; the latest has ${last.accepted} accepted, ${last.edited} edited, ${last.rejected} rejected`;
  const numbers = () => table("Decisions over time", [spoken(chosen.period), ...["accepted", "edited", "rejected"].map((label) => ({ label, end: true }))],
    periods.map((one) => [day(one.name), count(one.accepted), count(one.edited), count(one.rejected)]));
  return card("Over time", {}, tabs("Decisions over time", [
    { id: "chart", label: "Chart", show: () => h("div", { class: "stack" }, legend(["sent as it was", "sent with changes", "not sent"]), barChart(bars, { title })) },
    { id: "numbers", label: "Numbers", show: numbers }]));
}

function histogram(title, bins, label, none) {
  if (!bins.some((one) => one.count)) return h("p", { class: "muted" }, none);
  const said = `${title}: ${bins.map((one) => `${label(one)}: ${one.count}`).join(", ")}`;
  return h("div", { class: "plain" }, barChart(bins.map((one) => ({ label: label(one), parts: [one.count] })), { title: said }));
}

const distances = (found) => card("How much was changed", {},
  h("p", { class: "small muted" }, "Of replies that were sent with changes: the share of words that are not the draft's."),
  histogram("Edit distance", found.edit_distance, (one) => `≤ ${percent(one.most)}`, "No reply was sent with changes."));

const deciding = (found) => card("How long deciding took", {},
  h("p", { class: "small muted" }, found.decided_in.count ? `Half of all between ${duration(found.decided_in.p25)} and ${duration(found.decided_in.p75)}.` : "From seeing a suggestion to deciding."),
  histogram("Time to decide", found.decided_in.bins, (one) => (one.most ? `≤ ${one.most < 60 ? `${one.most} s` : `${one.most / 60} min`}` : "more"), "No help desk told when suggestions were seen."));

function groups(found) {
  const view = (name, label) => ({ id: name, label, show: () => table(`Decisions by ${label.toLowerCase()}`,
    [label, ...["accepted", "edited", "rejected"].map((one) => ({ label: one, end: true })), "sent as it was, 95 % interval"],
    found[`by_${name}`].map((one) => [words(spoken(one.name)), count(one.accepted), count(one.edited), count(one.rejected),
      h("div", {}, intervalBar({ value: one.share, low: one.low, high: one.high }), h("span", { class: "small muted num" }, `${figure(one.share)} (${figure(one.low)} to ${figure(one.high)})`))])) });
  return card("By what was suggested", {}, tabs("Decisions by", [view("intent", "Intent"), view("generator", "Generator"), view("prompt_version", "Prompt version")]));
}

// ---- tickets made of sent replies ----

function tickets(list) {
  if (!list.length) return null;
  const state = (one) => (one.in_force ? chip("in force", "ok") : one.undone_at ? chip("undone") : chip("gone with its source", "warn"));
  const rows = list.map((one) => [h("a", { href: `/desk/documents/${segment(one.document_id)}` }, words(one.document_id)), words(one.principal), moment(one.at), state(one),
    one.in_force && button("Undo", { kind: "small", run: () => undo(one), "aria-label": `Undo the ticket of ${one.document_id}` })]);
  return card("Tickets made of sent replies", { flush: true }, table("Tickets made of sent replies", ["Conversation", "Sent by", "When", "State", "Undo"], rows));
}

async function undo(one) {
  const yes = await confirm({ title: "Take this ticket back?", text: "No draft rests on it any more, and this reply does not become a ticket again.", yes: "Take back" });
  if (!yes) return;
  await del(`/v1/learned/${segment(one.document_id)}`);
  toast("Taken back");
  load();
}
