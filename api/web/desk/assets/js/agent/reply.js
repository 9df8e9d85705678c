// The reply beside the conversation: it streams in, is edited in place, and is accepted, edited or rejected. Nothing is ever sent from here.

import { events, get, post, session } from "../api.js";
import { fill, h, icon, words } from "../dom.js";
import { announce, button, chip, confirm, iconButton, notice, toast } from "../ui.js";
import { keepWords, keptWords } from "../unsaved.js";
import { plural } from "../text.js";
import { DraftView } from "./draft.js";
import { Editor } from "./editor.js";
import { correctTags, rejecting } from "./judging.js";
import { languageName, tagChips } from "./tags.js";

const TONES = [["friendly", "Friendlier"], ["formal", "More formal"], ["short", "Shorter"]];

const nothing = () => ({ suggestion: null, editor: null, clicked: [], copied: false, shownAt: null, corrected: {}, verdict: null, sent: null, stale: false });

/** The card of the reply. `hooks`: source(citation), arrived(suggestion), stage(name, data), banner(escalation). */
export class Reply {
  constructor(conversationId, hooks) {
    Object.assign(this, { id: conversationId, hooks, ...nothing(), stream: null, former: null, offered: keptWords(conversationId) });
    this.view = new DraftView((statement, citation) => this.open(statement, citation));
    this.chips = h("div", { class: "row tight grow", "aria-label": "What triage says", role: "group" });
    this.head = h("header", {}, h("h2", { class: "unseen" }, "Reply"), this.chips, iconButton("edit", "Put the tags right", () => this.correct()));
    this.banner = h("div", { class: "banner" });
    this.body = h("div", { class: "reply-body" }, this.view.node);
    this.note = h("div", { class: "reply-note" });
    this.news = h("div", { class: "reply-news" });
    this.bar = h("div", { class: "reply-bar row" });
    this.rewrite = h("div", { class: "rewrite", id: "rewrite", hidden: true });
    this.node = h("section", { class: "card reply-card", "aria-label": "Reply" }, this.head, this.banner, this.body, this.note, this.news, this.rewrite, this.bar);
    this.fillRewrite();
  }

  // -- making one ------------------------------------------------------------------------------------------------

  /** Show a suggestion that was made before, with the last verdict on it where one was given. */
  show(suggestion, judged) {
    this.begin();
    if (judged) Object.assign(this, { verdict: judged.verdict, sent: judged.verdict === "edited" ? judged.final_text : null, copied: judged.copied, corrected: given(judged.corrected) });
    this.done(suggestion);
  }

  /** Have one made: `path` and `body` as the API takes them. Where it fails, the one that was there is there again. */
  async make(path = "/v1/suggestions", body = { conversation_id: this.id }) {
    if (!(await this.mayReplace())) return;
    this.stream?.abort();
    if (this.suggestion) this.former = { ...this.state(), written: this.unsaved ? this.editor.text : null };
    const stream = (this.stream = new AbortController());
    this.begin();
    this.view.wait();
    this.paintBar();
    try {
      for await (const { event, data } of events("POST", path, { body, signal: stream.signal, quiet: true })) if (!stream.signal.aborted) this.step(event, data);
    } catch (error) {
      if (error.name !== "AbortError") this.failed(error, path, body);
    }
  }

  /** Whether what stands there may go: the agent is asked where they wrote it. */
  async mayReplace() {
    if (this.unsaved || (this.suggestion && this.offered)) return confirm({ title: "Put your text away?", text: "What you have written is lost once a new draft is there.", yes: "New draft" });
    if (this.sent !== null && !this.stale) return confirm({ title: "Replace the reply that you accepted?", text: "It stays noted as what was sent; this page shows the new draft instead.", yes: "New draft" });
    return true;
  }

  state() { return Object.fromEntries(Object.keys(nothing()).map((name) => [name, this[name]])); }

  begin() {
    Object.assign(this, nothing());
    this.view.clear();
    fill(this.body, this.view.node);
    fill(this.note);
    this.paintNews();
    this.rewrite.hidden = true;
  }

  step(event, data) {
    if (event === "triage") this.paintTags(data);
    else if (event === "escalation") this.hooks.banner(data);
    else if (event === "passages") this.hooks.stage("passages", data);
    else if (event === "statement") this.view.add(data);
    else if (event === "done") this.done(data);
  }

  done(suggestion) {
    if (this.former) this.putAway(); // the agent was asked
    Object.assign(this, { suggestion, former: null, shownAt: new Date().toISOString() });
    this.paint();
    announce(suggestion.draft ? `The draft is ready: ${plural(suggestion.draft.statements.length, "statement")}.` : "There is no answer; the page says why.");
  }

  failed(error, path, body) {
    const refused = error.status >= 400 && error.status < 500, again = button("Try again", { kind: "small", run: () => this.make(path, body) });
    this.view.node.removeAttribute("aria-busy");
    this.view.clear();
    if (!this.former) {
      fill(this.body, notice("bad", h("p", {}, error.message), again));
      return this.paintBar();
    }
    const { written, ...before } = this.former;
    Object.assign(this, before, { editor: null, former: null, stale: this.stale || before.stale, offered: written ?? this.offered });
    this.paint();
    this.paintNews(notice("bad", h("p", {}, `There is no new draft: ${error.message}`), !refused && again));
    this.news.scrollIntoView({ block: "center" }); // on a phone it lies below the draft
  }

  // -- no answer -------------------------------------------------------------------------------------------------

  /** Why there is no answer, what to ask the customer, and where to tell that something is missing. */
  why({ abstention, provenance }) {
    const facts = (abstention?.missing_facts ?? []).map((fact) => h("li", { class: "row apart keep" }, h("span", {}, fact), button("Insert question", { icon: "plus", kind: "small", run: () => this.insert(`Could you please tell us the ${fact.replace(/^what /, "following: what ")}?`), "aria-label": `Insert a question for the ${fact}` })));
    const near = (abstention?.nearest ?? []).map((one) => h("li", {}, h("button", { class: "link", type: "button", on: { click: () => this.hooks.source({ ...one, kind: "document" }, []) } }, words(one.title))));
    return h("div", { class: "why stack loose", tabindex: "0", role: "group", "aria-label": "Why there is no answer" },
      h("div", { class: "stack tight" }, h("h3", {}, "No answer"), h("p", {}, `${sentence(abstention?.reason ?? "nothing was found")}.`)),
      facts.length > 0 && h("div", { class: "stack tight" }, h("h3", {}, "Ask the customer"), h("ul", { class: "stack tight" }, facts)),
      near.length > 0 && h("div", { class: "stack tight" }, h("h3", {}, "Came nearest"), h("ul", { class: "stack tight" }, near)),
      h("div", { class: "row" }, provenance.instead_of.length > 0 && button("First draft", { icon: "back", keys: "D", run: () => this.make() }), button("Report the gap", { icon: "flag", run: () => this.gap() }), h("span", { class: "small muted" }, "Tells the knowledge managers that an article is missing.")));
  }

  async gap() {
    await post(`/v1/suggestions/${this.suggestion.id}/gap`, {});
    toast("The gap is reported.");
  }

  // -- looking, editing, copying ---------------------------------------------------------------------------------

  open(statement, citation) {
    const found = (this.suggestion?.draft?.statements ?? this.view.statements)[statement]?.citations[citation];
    if (!found) return;
    this.clicked.push({ statement, citation, at: new Date().toISOString() });
    this.hooks.source(found, this.sameSource(found, statement));
  }

  /** The cited words first, then whatever else of the draft rests on the same text; what the same statement rests on is marked alike. */
  sameSource(citation, statement) {
    const same = (one) => one !== citation && one.document_id === citation.document_id && one.revision === citation.revision && (one.end <= citation.start || citation.end <= one.start);
    return [citation, ...this.view.statements.flatMap((said, at) => said.citations.filter(same).map((one) => ({ ...one, cited: at === statement })))];
  }

  edit(text = this.offered ?? this.text()) {
    if (!this.suggestion || this.editor) return void this.editor?.area.focus();
    this.editor = new Editor(this.suggestion, text, (citation) => this.hooks.source(citation, [citation]), () => this.keep());
    this.offered = null;
    this.keep();
    this.paintNews();
    fill(this.body, this.editor.node);
    fill(this.note, this.editor.warnings);
    this.rewrite.hidden = true;
    this.paintBar();
    this.editor.area.focus();
    this.editor.area.setSelectionRange(0, 0);
    this.editor.area.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); this.cancel(); } });
  }

  cancel() {
    if (!this.editor) return;
    const { text } = this.editor, left = this.unsaved;
    this.editor = null;
    this.putAway();
    this.paintBody();
    this.paintNote();
    this.paintBar();
    this.view.node.focus();
    if (left) toast("Your changes were put away.", { action: "Bring back", run: () => this.edit(text) });
  }

  /** Words from elsewhere go into the editor: where the cursor is, else at the end. */
  insert(text) {
    if (!this.suggestion) return;
    if (!this.editor) {
      this.edit();
      this.editor.area.setSelectionRange(this.editor.text.length, this.editor.text.length);
    }
    this.editor.insert(text);
  }

  text() { return this.editor ? this.editor.text : this.sent ?? this.suggestion?.draft?.text ?? ""; }

  /** Whether there are words that would be lost with the page. */
  get unsaved() { return this.editor !== null && this.editor.text !== (this.sent ?? this.suggestion.draft?.text ?? ""); }

  /** What is being written stays in this tab, so that a reload does not lose it. */
  keep() { if (this.editor) keepWords(this.id, this.unsaved ? this.editor.text : null); }

  putAway() {
    this.offered = null;
    keepWords(this.id, null);
    this.paintNews();
  }

  /** The customer has written since: the draft answers what came before. */
  outdated() {
    this.stale = true;
    this.paintNews();
  }

  async copy() {
    const text = this.text();
    if (text) this.copied = await toClipboard(text);
  }

  // -- judging ---------------------------------------------------------------------------------------------------

  async accept() {
    const text = this.text().trim(), draft = this.suggestion?.draft;
    if (!text) return;
    const same = draft && text === draft.text.trim();
    this.copied = await toClipboard(this.text(), null);
    await this.judge(same ? { verdict: "accepted" } : { verdict: "edited", final_text: this.text() });
  }

  async reject() {
    if (!this.suggestion) return;
    const reason = await rejecting();
    if (reason !== null) await this.judge({ verdict: "rejected", reason: reason || null });
  }

  async judge(given) {
    const corrected = Object.keys(this.corrected).length ? { corrected: this.corrected } : {};
    const body = { ...given, ...corrected, shown_at: this.shownAt, decided_at: new Date().toISOString(), copied: this.copied, clicked: this.clicked };
    await post(`/v1/suggestions/${this.suggestion.id}/feedback`, body);
    this.verdict = given.verdict;
    this.sent = given.final_text ?? null;
    this.editor = null;
    this.putAway();
    this.paintBody();
    this.paintNote();
    this.paintBar();
    this.hooks.judged(given.verdict);
  }

  async correct() {
    if (!this.suggestion) return;
    const found = await correctTags(this.suggestion, this.corrected);
    if (!found) return;
    this.corrected = found;
    this.paintTags(this.suggestion.triage);
    toast("Noted. It is kept with your decision on the draft.");
  }

  // -- rewriting -------------------------------------------------------------------------------------------------

  fillRewrite() {
    const wish = h("input", { class: "input", maxlength: 1000, "aria-label": "Instruction", placeholder: "Or say how: mention the thirty days" });
    const form = h("form", { class: "row keep grow" }, wish, button("Rewrite", { kind: "small", type: "submit" }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (wish.value.trim()) this.again({ rewrite: { task: "instruct", instruction: wish.value.trim() } });
    });
    fill(this.rewrite, h("div", { class: "row tight" }, TONES.map(([tone, label]) => button(label, { kind: "small", run: () => this.again({ options: { tone } }) }))),
      session.model ? form : h("p", { class: "small muted" }, "An instruction of your own takes a language model; this server has none."));
  }

  toggleRewrite() {
    if (!this.suggestion?.draft) return;
    this.rewrite.hidden = !this.rewrite.hidden;
    this.paintBar();
    if (!this.rewrite.hidden) this.rewrite.querySelector("button").focus();
  }

  /** A draft from other sources than this one's, where these answer something else. */
  otherwise() {
    if (this.cites) this.again({ otherwise: true });
  }

  get cites() {
    return Boolean(this.suggestion?.draft?.statements.some(({ citations }) => citations.length));
  }

  again(body) {
    return this.make(`/v1/suggestions/${this.suggestion.id}/regenerate`, body);
  }

  // -- painting --------------------------------------------------------------------------------------------------

  paint() {
    const { suggestion } = this;
    this.paintTags(suggestion.triage);
    if (suggestion.draft) this.view.done(suggestion.draft);
    this.paintBody();
    this.paintNote();
    this.paintNews();
    this.paintBar();
    this.hooks.arrived(suggestion);
  }

  paintBody() {
    fill(this.body, this.sent !== null ? edited(this.sent) : this.suggestion.draft ? this.view.node : this.why(this.suggestion));
  }

  /** What has nothing to do with the draft's own words, beside whatever is said of these. */
  paintNews(trouble = null) {
    const put = (text, ...buttons) => notice("warn", h("div", { class: "row apart" }, h("span", { class: "grow" }, text), h("div", { class: "row tight" }, buttons)));
    fill(this.news, trouble,
      this.suggestion && this.offered && put("You were writing a reply here.", button("Bring back", { kind: "small", run: () => this.edit() }), button("Put away", { kind: "small plain", run: () => this.putAway() })),
      this.stale && put("A new message arrived: this draft answers the earlier ones.", button("New draft", { kind: "small", keys: "D", run: () => this.make() })));
  }

  paintTags(triage) {
    const { intent, mood } = this.corrected;
    const shown = triage && { ...triage, intent: intent ? { ...triage.intent, label: intent, level: "high" } : triage.intent, sentiment: mood ? { ...triage.sentiment, label: mood, trend: "steady" } : triage.sentiment };
    fill(this.chips, tagChips(shown, { all: true }), Object.keys(this.corrected).length > 0 && chip("put right by you", "accent", "check"));
  }

  paintNote() {
    const { suggestion, verdict } = this;
    if (verdict) return void fill(this.note, notice(verdict === "rejected" ? "" : "ok", verdict === "rejected" ? "Rejected. Thank you: it is kept as what not to suggest." : `${this.copied ? "Copied and noted" : "Noted, but not copied"}. Nothing was sent: paste it into your help desk.`));
    const spoken = suggestion.triage.language.label, foreign = suggestion.draft && suggestion.draft.language !== spoken;
    fill(this.note,
      suggestion.status === "extractive" && notice("warn", suggestion.draft?.generator === "unchanged"
        ? "The language model did not rewrite it: the reply is as it was."
        : "The language model gave nothing that could be used; this draft is put together of the sources' own words."),
      foreign && notice("warn", h("p", {}, `The customer writes ${languageName(spoken)}; the draft is in ${languageName(suggestion.draft.language)}.`),
        session.model && this.cites && button(`Translate into ${languageName(spoken)}`, { kind: "small", run: () => this.again({ rewrite: { task: "translate", language: spoken } }) })));
  }

  paintBar() {
    const { suggestion, editor, verdict } = this;
    if (editor) return void fill(this.bar, button("Accept edited", { icon: "check", kind: "primary", keys: "Ctrl Enter", run: () => this.accept() }), button("Cancel", { keys: "Esc", run: () => this.cancel() }), button("Copy", { icon: "copy", kind: "plain", run: () => this.copy() }));
    const draft = suggestion?.draft, off = { disabled: !suggestion };
    fill(this.bar,
      draft || !suggestion ? button("Accept", { icon: "check", kind: verdict ? "" : "primary", keys: "A", run: () => this.accept(), ...off }) : null,
      button(draft || !suggestion ? "Edit" : "Write a reply", { icon: "edit", kind: suggestion && !draft ? "primary" : "", keys: "E", run: () => this.edit(), ...off }),
      button("Reject", { icon: "close", keys: "R", run: () => this.reject(), ...off }),
      h("span", { class: "grow" }),
      suggestion && !draft ? null : button("Another answer", { icon: "sync", kind: "plain", keys: "O", title: "It answers something else: draft from other sources", run: () => this.otherwise(), disabled: !this.cites }),
      suggestion && !draft ? null : button("Rewrite", { icon: "spark", kind: "plain", keys: "W", run: () => this.toggleRewrite(), "aria-expanded": String(!this.rewrite.hidden), "aria-controls": "rewrite", ...off }),
      draft || !suggestion ? iconCopy(() => this.copy(), !suggestion) : null);
  }
}

/** A reply as the agent wrote it. */
const edited = (text) => h("div", { class: "draft", tabindex: "0", role: "group", "aria-label": "Reply as edited" }, h("div", { class: "reply words pre", dir: "auto" }, text));

function iconCopy(run, disabled) {
  const made = iconButton("copy", "Copy the reply (C)", run);
  made.disabled = disabled;
  return made;
}

const given = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** To the clipboard, and whether that worked; where the browser does not let the page, say so. */
async function toClipboard(text, said = "Copied.") {
  try {
    await navigator.clipboard.writeText(text);
    if (said) toast(said);
    return true;
  } catch {
    toast("The browser does not let the page copy. Select the text and copy it yourself.", { kind: "bad" });
    return false;
  }
}

/** The newest suggestion of a conversation, with the last verdict on it, if it answers the conversation's present state, else null. */
export async function present(id, changedAt) {
  const made = await get(`/v1/conversations/${encodeURIComponent(id)}/suggestion`);
  if (!made || Date.parse(made.created_at) < Date.parse(changedAt)) return null;
  return { made, judged: await get(`/v1/suggestions/${made.id}/feedback`) };
}
