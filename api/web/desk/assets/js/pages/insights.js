// Insights: what is asked and not answered, what contradicts, repeats or is out of date, and articles that solved tickets propose.

import { get, post, segment, session } from "../api.js";
import { fill, h, icon, words } from "../dom.js";
import { audienceChip, documentAddress, documentLink, followed, kindChip, quoted } from "../knowledge.js";
import { ago, count, cut, day, moment, plural, spoken } from "../text.js";
import { button, chip, dialog, empty, field, input, mount, notice, select, skeleton, tabs, textarea, toast } from "../ui.js";

const KINDS = [
  { id: "gaps", label: "Gaps", item: gap, none: "Every matter that customers asked about was answered." },
  { id: "contradictions", label: "Contradictions", item: contradiction, none: "No article contradicts a newer one or a solved ticket." },
  { id: "stale", label: "Stale", item: stale, none: "No document looks out of date." },
  { id: "duplicates", label: "Duplicates", item: duplicate, none: "No two documents say the same." },
  { id: "unused", label: "Unused", item: unused, none: "Every document was of use to somebody." },
  { id: "proposals", label: "Proposed articles", item: proposal, none: "Solved tickets propose no article at the moment.", load: () => get("/v1/proposals", { quiet: true }) },
];
const STEP = 50;
const DECIDED = { waiting: ["waiting", "info dot"], approved: ["approved", "ok"], rejected: ["rejected", ""] };
const WHY = { past_validity: "past its validity", edited_away: "agents edit it away", old_and_cited: "old, and still cited" };

mount("app", skeleton(8));
const counts = await known();
const views = tabs("Insights", KINDS.map((kind) => ({ ...kind, label: kind.id in counts ? `${kind.label} (${count(counts[kind.id])})` : kind.label, show: () => list(kind) })), {
  chosen: KINDS.some((one) => one.id === location.hash.slice(1)) ? location.hash.slice(1) : "gaps", changed: (id) => history.replaceState(null, "", `#${id}`) });
mount("app", views);

async function known() {
  try {
    return (await get("/v1/insights", { quiet: true })).counts;
  } catch {
    return {}; // each list says for itself what is wrong
  }
}

function list(kind) {
  const box = h("div", { class: "stack" }, skeleton(8));
  load(kind, box, STEP).catch((problem) => fill(box, problem.status === 404
    ? empty({ icon: "info", title: "Not available", text: "This server does not look for these yet." }) : notice("bad", h("p", {}, problem.message))));
  return box;
}

async function load(kind, box, limit) {
  const found = await (kind.load?.() ?? get(`/v1/insights/${kind.id}`, { query: { limit }, quiet: true }));
  const again = () => load(kind, box, limit);
  fill(box, kind.id === "proposals" && h("div", { class: "row" }, button("Look for articles to propose", { icon: "spark", run: () => propose(box, again) })),
    found.items.length === 0 ? empty({ icon: "check", title: "Nothing here", text: kind.none }) : h("ul", { class: "stack" }, found.items.map((one) => h("li", {}, kind.item(one, again)))),
    found.total > found.items.length && limit < 200 && h("div", { class: "row" }, button("Show more", { run: () => load(kind, box, Math.min(limit + STEP, 200)) }), h("span", { class: "small muted" }, `${count(found.items.length)} of ${count(found.total)}`)));
}

function finding(title, chips, ...body) {
  return h("section", { class: "card finding" }, h("header", {}, h("h2", {}, title), chips), h("div", { class: "body stack" }, body));
}

function score(value) {
  return chip(value.toFixed(2));
}

function head(one) {
  return h("div", { class: "row" }, documentLink(one), kindChip(one.kind), audienceChip(one.audience), one.changed_at && h("span", { class: "small muted" }, `changed ${day(one.changed_at)}`));
}

function gap(one) {
  const asks = session.has("agent", "admin");
  return finding(words(one.title), [chip(plural(one.size, "message"), "accent", "mail"), h("span", { class: "small muted", title: `${moment(one.first_at)} to ${moment(one.last_at)}` }, `last ${ago(one.last_at)}`)],
    one.terms.length > 0 && h("div", { class: "row tight" }, one.terms.map((term) => chip(words(term)))),
    h("ul", { class: "stack tight" }, one.examples.map((example) => h("li", { class: "quote" }, words(example.quote), " ", h("span", { class: "small muted" }, ago(example.at)), " ",
      asks && h("a", { class: "small", href: `/desk/conversations/${segment(example.conversation_id)}` }, "Conversation")))),
    h("p", { class: "small" }, h("span", { class: "muted" }, "Nearest: "), one.nearest.length === 0 ? "nothing" : one.nearest.map((near, at) => [at > 0 && ", ", documentLink(near), ` ${near.score.toFixed(2)}`]),
      " · ", h("a", { href: `/desk/retrieval?q=${encodeURIComponent(one.examples[0]?.quote ?? one.title)}` }, "Try it in the retrieval test")));
}

function sides(left, right) {
  return h("div", { class: "sides" }, h("div", { class: "stack tight" }, left), h("div", { class: "stack tight" }, right));
}

/** A citation whose differing words are marked; both spans count from the revision's beginning. */
function marked(citation, spans) {
  const within = spans.filter(Boolean).map((one) => ({ start: one.start - citation.start, end: one.end - citation.start }));
  const shown = quoted(citation);
  fill(shown.querySelector("blockquote"), h("bdi", { class: "words", dir: "auto" }, cut(citation.quote, within).map((one) => (one.span ? h("mark", {}, one.text) : one.text))));
  return shown;
}

function contradiction(one) {
  const { article, against } = one.evidence;
  return finding(`They differ in a ${spoken(one.what)}`, [score(one.score)],
    sides([h("h3", {}, "The article"), head(one.article), marked(article, one.differs.map((d) => d.article))],
      [h("h3", {}, one.against.kind === "ticket" ? "A newer solved ticket" : "A newer article"), head(one.against), marked(against, one.differs.map((d) => d.against))]));
}

function duplicate(one) {
  return finding("Two documents say the same", [chip(`${Math.round(one.overlap * 100)} % of the shorter one`, "warn"), score(one.score)],
    sides([h("h3", {}, "Older"), head(one.first)], [h("h3", {}, "Newer: keep this one"), head(one.second)]),
    one.evidence.map((pair) => sides(quoted(pair.first), quoted(pair.second))));
}

function stale(one) {
  return finding(documentLink(one.document), [kindChip(one.document.kind), audienceChip(one.document.audience), score(one.score)],
    h("ul", { class: "stack tight" }, one.reasons.map((why) => h("li", { class: "row" }, chip(WHY[why.code] ?? spoken(why.code), "warn", "clock"), h("span", {}, words(why.detail)),
      why.count !== null && h("span", { class: "small muted" }, plural(why.count, "time"))))),
    one.evidence.map((citation) => quoted(citation)));
}

function unused(one) {
  return finding(documentLink(one.document), [kindChip(one.document.kind), audienceChip(one.document.audience)],
    h("p", {}, `None of ${plural(one.suggestions, "suggestion")} since ${day(one.since)} used it.`), one.evidence.map((citation) => quoted(citation)));
}

function proposal(one, again) {
  const can = session.has("knowledge_manager", "admin");
  const act = (what, body) => async () => { await post(`/v1/proposals/${segment(one.id)}/${what}`, body ?? {}); toast(`The proposal is ${what === "withdraw" ? "taken back" : what === "approve" ? "approved" : "rejected"}.`); await again(); };
  return finding(words(one.title), [chip(...DECIDED[one.state]), chip(plural(one.size, "solved ticket"), "", "chat")],
    h("div", { class: "pre words text", dir: "auto" }, cut(one.text, one.statements).map((piece) => (piece.span ? h("span", {}, piece.text, piece.span.citations.map((citation) =>
      h("a", { class: "cite", href: documentAddress(citation.document_id, citation), title: citation.quote, "aria-label": `Source: ${citation.title || citation.document_id}` }, icon("link")))) : piece.text))),
    h("details", {}, h("summary", {}, "Made of"), h("ul", { class: "stack tight" }, one.sources.map((source) => h("li", {}, head(source))))),
    one.document_id && h("p", {}, "Published as ", h("a", { href: documentAddress(one.document_id) }, words(one.document_id))),
    one.reason && h("p", { class: "muted" }, "Reason: ", words(one.reason)),
    can && h("div", { class: "row" }, one.state === "waiting" && [button("Approve", { icon: "check", kind: "primary small", run: () => approve(one, again) }), button("Reject", { kind: "small", run: () => reject(one, act) })],
      one.state === "approved" && button("Take back", { kind: "small danger", run: act("withdraw") })));
}

function approve(one, again) {
  const title = input({ value: one.title, maxlength: 300, required: true }), audience = select([["public", "public: drafts may cite it"], ["internal", "internal: staff only"]]);
  const box = dialog("Approve the article", [field("Title", title), field("Who may see it", audience),
    h("div", { class: "actions" }, h("button", { class: "button", type: "button", on: { click: () => box.close() } }, "Cancel"), h("button", { class: "button primary", type: "submit", value: "yes" }, "Approve"))],
  { submit: async () => { await post(`/v1/proposals/${segment(one.id)}/approve`, { title: title.value, audience: audience.value }); box.close(); toast("The article is found and cited from now on."); await again(); } });
}

function reject(one, act) {
  const reason = textarea({ maxlength: 2000 });
  const box = dialog("Reject the proposal", [field("Reason", reason, { hint: "May be left empty." }),
    h("div", { class: "actions" }, h("button", { class: "button", type: "button", on: { click: () => box.close() } }, "Cancel"), h("button", { class: "button danger", type: "submit", value: "yes" }, "Reject"))],
  { submit: async () => { await act("reject", reason.value.trim() ? { reason: reason.value.trim() } : {})(); box.close(); } });
}

async function propose(box, again) {
  const place = h("div", {});
  box.prepend(place);
  await followed(await post("/v1/proposals", {}), place, () => notice("ok", h("p", {}, "Looked through the solved tickets.")), "Proposing articles");
  await again();
}
