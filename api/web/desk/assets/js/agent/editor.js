// Edits a reply in place: what was not touched keeps its citations, and what contradicts its source is said while one types.

import { post } from "../api.js";
import { fill, h, icon } from "../dom.js";
import { button } from "../ui.js";
import { Points } from "../text.js";

const PAUSE = 250;
const SAYS = { number: "number", date: "date", address: "address", name: "name", negation: "negation" };

/** An editor over a suggestion's reply. `opened(citation)` shows a source; `written()` is called at every change. */
export class Editor {
  constructor(suggestion, text, opened, written) {
    Object.assign(this, { id: suggestion.id, opened, written, stretches: [], checked: "", timer: 0, turn: 0 });
    this.behind = h("div", { class: "behind", "aria-hidden": "true", dir: "auto" });
    this.area = h("textarea", { class: "reply-input", "aria-label": "Reply", "aria-describedby": "edit-warnings", spellcheck: true, dir: "auto", maxlength: 20000, on: { input: () => this.typed() } });
    this.warnings = h("div", { class: "warnings", id: "edit-warnings", "aria-live": "polite" });
    this.node = h("div", { class: "editor" }, h("div", { class: "over" }, this.behind, this.area));
    this.set(text);
  }

  get text() { return this.area.value; }

  set(text) {
    this.area.value = text;
    this.typed(0);
  }

  /** Put words where the cursor is, as a paragraph of their own where it stands at an end. */
  insert(words) {
    const { selectionStart: from, selectionEnd: to, value } = this.area;
    const before = value.slice(0, from).trimEnd(), after = value.slice(to).trimStart();
    const head = before ? `${before}\n\n${words}` : words;
    this.area.value = after ? `${head}\n\n${after}` : head;
    this.area.focus();
    this.area.setSelectionRange(head.length, head.length);
    this.typed();
  }

  typed(wait = PAUSE) {
    this.stretches = moved(this.stretches, this.checked, this.text);
    this.checked = this.text;
    this.written();
    this.paint();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), wait);
  }

  /** Ask the server how each stretch stands; an answer to an earlier text is dropped. */
  async check() {
    const mine = (this.turn += 1), text = this.text;
    const found = await post(`/v1/suggestions/${this.id}/check`, { text }, { quiet: true }).catch(() => null);
    if (mine !== this.turn || text !== this.text || !found) return;
    const points = new Points(text), unit = (one) => ({ ...one, start: points.unit(one.start), end: points.unit(one.end) });
    this.stretches = found.stretches.map((one) => ({ ...unit(one), conflicts: one.conflicts.map(unit) }));
    this.paint();
    this.warn();
  }

  paint() {
    const spans = this.stretches.flatMap((one) => (one.conflicts.length ? one.conflicts.map((conflict) => ({ ...conflict, kind: "conflict" })) : [{ ...one, kind: one.standing }]));
    const text = this.text, pieces = [];
    let at = 0;
    for (const span of spans.filter((one) => one.end <= text.length).sort((a, b) => a.start - b.start)) {
      if (span.start < at) continue;
      pieces.push(text.slice(at, span.start), h("span", { class: `on-${span.kind}` }, text.slice(span.start, span.end)));
      at = span.end;
    }
    fill(this.behind, pieces, text.slice(at), "\n");
  }

  warn() {
    const conflicts = this.stretches.flatMap((one) => one.conflicts);
    const said = conflicts.map((one) => `${one.start} ${one.text}`).join("\n");
    if (said === this.warned) return; // else a screen reader would hear it at every pause
    this.warned = said;
    fill(this.warnings, conflicts.map((one) => this.warning(one)));
  }

  warning(one) {
    const [instead] = one.instead;
    const said = one.kind === "negation" && !instead ? "its source does not say no" : instead ? h("span", {}, "its source says ", h("b", { class: "words" }, one.instead.join(", "))) : `no such ${SAYS[one.kind]} stands in its source`;
    return h("p", { class: "warning" }, icon("alert"),
      h("span", { class: "grow" }, h("b", { class: "words" }, one.text), ": ", said),
      instead && one.kind !== "negation" && button(`Use ${instead}`, { kind: "small", run: () => this.replace(one, instead) }),
      button("Source", { kind: "small plain", run: () => this.opened(one.citation) }));
  }

  /** Put the source's word where the contradiction stands now. */
  replace({ text, start }, words) {
    const now = this.stretches.flatMap((stretch) => stretch.conflicts).filter((one) => one.text === text).sort((a, b) => Math.abs(a.start - start) - Math.abs(b.start - start))[0];
    if (!now) return;
    this.area.setRangeText(words, now.start, now.end, "end");
    this.area.focus();
    this.typed(0);
  }
}

/** Stretches at their places in a text that was changed in one place: what the change touched is gone until the next check. */
export function moved(stretches, before, after) {
  const most = Math.min(before.length, after.length);
  let head = 0, tail = 0;
  while (head < most && before[head] === after[head]) head += 1;
  while (tail < most - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const by = after.length - before.length, from = before.length - tail;
  const shift = (one) => (one.end <= head ? one : one.start >= from ? { ...one, start: one.start + by, end: one.end + by } : null);
  return stretches.flatMap((one) => {
    const at = shift(one);
    return at ? [{ ...at, conflicts: one.conflicts.map(shift).filter(Boolean) }] : [];
  });
}

