// One source: its settings, its last sync with what went wrong, and syncs by hand.

import { del, get, post, segment, session } from "../api.js";
import { h, icon, words } from "../dom.js";
import { counted, followed, isBrake, outcome, problems } from "../knowledge.js";
import { moment, plural, spoken } from "../text.js";
import { button, card, confirm, mount, notice, skeleton } from "../ui.js";

const id = session.params.source_id, address = `/v1/sources/${segment(id)}`;
const box = h("div", {});

mount("title", words(id));
mount("app", skeleton(6));
mount("actions",
  button("Remove", { icon: "trash", kind: "danger", run: remove }),
  button("Read everything again", { run: () => sync({ full: true }) }),
  button("Dry run", { run: () => sync({ dry_run: true }) }),
  button("Sync", { icon: "sync", kind: "primary", run: () => sync({}) }));
load().catch((problem) => mount("app", notice("bad", h("p", {}, problem.message))));

async function load() {
  const source = await get(address, { quiet: true });
  const last = source.outcome;
  mount("app", box, h("div", { class: "columns" },
    card("Where it comes from", {}, h("dl", { class: "facts" }, fact("Kind", source.connector), fact("Address", h("a", { href: source.address }, words(source.address))),
      fact("Who may see it", source.audience ?? "as each document says"), fact("Synced", source.every_minutes ? `every ${plural(source.every_minutes, "minute")}` : "by hand"),
      source.credentials && fact("Credentials", h("code", {}, source.credentials)),
      Object.entries(source.options).map(([name, value]) => fact(spoken(name), words(value))))),
    card("What is there", { actions: [h("a", { class: "button small", href: `/desk/documents?source=${encodeURIComponent(id)}&state=any` }, icon("file"), "Its documents")] },
      h("div", { class: "stack" },
        h("dl", { class: "facts" }, fact("Documents", plural(source.documents, "document")), fact("Last sync began", moment(source.started_at) || "never"),
          fact("Last sync ended", moment(source.finished_at) || "not yet"), last && !last.error && fact("It did", counted(last))),
        last?.error && notice("bad", h("p", {}, words(last.error))),
        problems(last?.problems ?? [])))));
}

function fact(name, value) {
  return [h("dt", {}, name), h("dd", { class: "words" }, value)];
}

async function sync(wish) {
  const ended = await followed(await post(`${address}/sync`, wish), box, (job) => outcome(job.result ?? {}, { dry: wish.dry_run }), `Sync of ${id}`);
  if (!wish.dry_run) await load();
  if (isBrake(ended)) box.append(button("Retire them", { kind: "danger", run: retireMany }));
}

async function retireMany() {
  const sure = await confirm({ title: "Retire that many documents?", text: "They will not be found or cited any more, and their texts are destroyed.", yes: "Sync and retire them" });
  if (sure) await sync({ allow_mass_delete: true });
}

async function remove() {
  const sure = await confirm({ title: `Remove ${id}?`, text: "The source and all its documents go. Nothing finds, quotes or shows them any more.", yes: "Remove" });
  if (!sure) return;
  await del(address);
  location.assign("/desk/sources");
}
