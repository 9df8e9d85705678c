// Sources: what feeds the knowledge, when it was last read, and what came of that; uploads beside them.

import { get, post, segment, session } from "../api.js";
import { fill, h, icon, words } from "../dom.js";
import { shortcut } from "../keys.js";
import { counted, followed, isBrake, outcome, problems } from "../knowledge.js";
import { ago, count, moment, plural, spoken } from "../text.js";
import { busy, button, card, chip, confirm, dialog, empty, field, input, mount, notice, panel, select, skeleton, toast } from "../ui.js";

const JOB = { queued: ["waiting", ""], running: ["running", "info dot"], done: ["done", "ok"], failed: ["failed", "bad"], cancelled: ["cancelled", ""] };
let connectors = [];
const progress = new Map();

mount("list", skeleton(4));
mount("actions", button("Add source", { icon: "plus", kind: "primary", run: addSource }));
shortcut("n", "Add a source", addSource);
upload();
const loaded = load();
await loaded;
await jobs();

async function load() {
  const found = await get("/v1/sources");
  connectors = found.connectors;
  mount("list", found.sources.length ? card("", { flush: true }, h("ul", { class: "list" }, found.sources.map(row)))
    : card("", {}, empty({ icon: "source", title: "No source yet", text: "Add a web site or help desk, drop files below, or run copilot sources add on the server for a folder.",
      actions: [button("Add source", { icon: "plus", run: addSource })] })));
}

function row(source) {
  const box = progress.get(source.id) ?? h("div", {});
  progress.set(source.id, box);
  return h("li", { class: "source stack tight" },
    h("div", { class: "row" },
      h("div", { class: "grow stack tight" },
        h("div", { class: "row" }, h("a", { href: `/desk/sources/${segment(source.id)}`, class: "strong" }, source.id), chip(source.connector, "", "source"), verdict(source)),
        h("p", { class: "small muted clip" }, words(source.address)),
        h("p", { class: "small muted" }, facts(source))),
      button("Dry run", { kind: "small", "aria-label": `Dry run of ${source.id}`, run: () => sync(source.id, box, { dry_run: true }) }),
      button("Sync", { icon: "sync", kind: "small", "aria-label": `Sync ${source.id}`, run: () => sync(source.id, box, {}) })),
    box);
}

function verdict({ outcome: last, finished_at: at }) {
  if (!at) return chip("never synced", "warn dot");
  if (last?.error) return chip("failed", "bad dot");
  return last?.failed ? chip(`${count(last.failed)} not taken`, "warn dot") : chip("up to date", "ok dot");
}

function facts(source) {
  const every = source.every_minutes ? `every ${plural(source.every_minutes, "minute")}` : "by hand";
  const last = source.finished_at ? h("span", { title: moment(source.finished_at) }, `synced ${ago(source.finished_at)}: ${source.outcome?.error ?? counted(source.outcome ?? {})}`) : "never synced";
  return [plural(source.documents, "document"), " · ", last, " · ", every];
}

async function sync(id, box, wish) {
  const started = await post(`/v1/sources/${segment(id)}/sync`, wish);
  const ended = await followed(started, box, (job) => outcome(job.result ?? {}, { dry: wish.dry_run }), `Sync of ${id}`);
  if (isBrake(ended)) box.append(button("Retire them", { kind: "danger small", run: () => retireMany(id, box) }));
  if (!wish.dry_run) await load();
  await jobs();
}

async function retireMany(id, box) {
  const sure = await confirm({ title: "Retire that many documents?", text: "They will not be found or cited any more, and their texts are destroyed.", yes: "Sync and retire them" });
  if (sure) await sync(id, box, { allow_mass_delete: true });
}

async function addSource() {
  await loaded; // the kinds of sources come with the list
  const names = connectors.map((one) => one.name);
  const options = h("div", { class: "stack" });
  const fields = {
    id: field("Name", input({ required: true, pattern: "[a-z0-9][a-z0-9._\\-]{0,63}", placeholder: "help-centre", autocomplete: "off" }), { hint: "Small letters, digits, dots and dashes." }),
    connector: field("Kind", select(names, { value: names.includes("web") ? "web" : names[0], on: { change: showOptions } })),
    address: field("Address", input({ type: "url", required: true, placeholder: "https://help.example.com/" })),
    every_minutes: field("Sync every … minutes", input({ type: "number", min: 1, max: 525600, placeholder: "60" }), { hint: "Left empty: by hand." }),
    audience: field("Who may see its documents", select([["", "as each document says"], ["public", "public: also drafts may cite it"], ["internal", "internal: staff only"]])),
  };
  const credentials = session.has("admin") && field("Credentials", input({ placeholder: "env:COPILOT_SOURCE_TOKEN", pattern: "env:COPILOT_SOURCE_[A-Z0-9_]{1,64}" }), { hint: "The server's environment variable that holds the secret." });
  const more = h("details", {}, h("summary", {}, "Options"), options);
  const value = (one) => one.querySelector("input, select").value.trim();
  function showOptions() {
    const known = connectors.find((one) => one.name === value(fields.connector))?.options ?? [];
    fill(options, known.map((name) => field(spoken(name), input({ "aria-label": name, data: { option: name } }))));
    more.hidden = known.length === 0;
  }
  showOptions();
  const box = dialog("Add a source", [Object.values(fields), credentials, more, h("p", { class: "small muted" }, "Nothing is read before you sync it. Folders of the server are added on its command line."),
    h("div", { class: "actions" }, h("button", { class: "button", value: "", formnovalidate: null, type: "button", on: { click: () => box.close() } }, "Cancel"), h("button", { class: "button primary", type: "submit", value: "add" }, "Add source"))],
  { submit: async () => {
    const chosen = [...options.querySelectorAll("input")].filter((one) => one.value.trim()).map((one) => [one.dataset.option, one.value.trim()]);
    const body = { id: value(fields.id), connector: value(fields.connector), address: value(fields.address), options: Object.fromEntries(chosen),
      audience: value(fields.audience) || null, every_minutes: Number(value(fields.every_minutes)) || null, credentials: (credentials && value(credentials)) || null };
    await busy(box.querySelector("[value=add]"), () => post("/v1/sources", body));
    box.close();
    toast(`${body.id} is added. A dry run shows what a sync would bring.`);
    await load();
  } });
}

function upload() {
  const chooser = h("input", { type: "file", multiple: true, class: "unseen", id: "files", accept: ".md,.markdown,.html,.htm,.txt,.pdf,.docx,.jsonl,.csv", tabindex: "-1", "aria-hidden": "true" });
  const kind = select([["", "by their type"], ["article", "articles"], ["ticket", "tickets"], ["macro", "macros"]]);
  const audience = select([["", "as the file says"], ["public", "public"], ["internal", "internal"]]);
  const list = h("ul", { class: "stack", "aria-label": "Uploads" });
  const drop = h("div", { class: "drop" }, icon("upload"), h("p", {}, "Drop files here: md, html, txt, pdf, docx, jsonl or csv"), button("Choose files", { run: () => chooser.click() }), chooser);
  chooser.addEventListener("change", () => { take(chooser.files); chooser.value = ""; });
  for (const [event, over] of [["dragenter", true], ["dragover", true], ["dragleave", false], ["drop", false]]) {
    drop.addEventListener(event, (one) => { one.preventDefault(); drop.toggleAttribute("data-over", over); if (event === "drop") take(one.dataTransfer.files); });
  }
  function take(files) {
    for (const file of files) send(file);
  }
  async function send(file) {
    const box = h("div", {});
    list.prepend(h("li", { class: "stack tight" }, h("span", { class: "strong" }, words(file.name)), box));
    const form = new FormData();
    form.append("file", file);
    if (kind.value) form.append("kind", kind.value);
    if (audience.value) form.append("audience", audience.value);
    try {
      await followed(await post("/v1/documents", form), box, undefined, file.name);
    } catch (problem) {
      fill(box, notice("bad", h("p", {}, problem.message)));
    }
    await jobs();
  }
  mount("upload", card("Upload", {}, h("div", { class: "stack" }, drop, h("div", { class: "columns" }, field("They hold", kind), field("Who may see them", audience)), list)));
}

async function jobs() {
  const found = await get("/v1/jobs", { query: { limit: 8 }, quiet: true });
  mount("jobs", card("Recent work", { flush: true }, found.jobs.length === 0 ? h("p", { class: "item muted" }, "None yet.")
    : h("ul", { class: "list" }, found.jobs.map((job) => h("li", {}, h("button", { class: "item wide", type: "button", on: { click: () => showJob(job) } },
      h("span", { class: "grow" }, spoken(job.kind)), h("span", { class: "small muted", title: moment(job.created_at) }, ago(job.created_at)), chip(...(JOB[job.state] ?? [job.state, ""]))))))));
}

function showJob(job) {
  const isSummary = job.result && "unchanged" in job.result;
  panel(`${spoken(job.kind)}, ${moment(job.created_at)}`,
    job.error && notice("bad", h("p", {}, words(job.error))),
    isSummary ? outcome(job.result) : job.result && h("pre", { class: "small scroll", tabindex: "0" }, JSON.stringify(job.result, null, 2)),
    !isSummary && problems(job.result?.problems ?? []));
}
