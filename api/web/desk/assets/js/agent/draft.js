// The draft as it comes: statement by statement, each with the numbers of its sources.

import { fill, h } from "../dom.js";
import { announce } from "../ui.js";

/** A draft's view. `opened(statement, number)` is called with the index of a statement and of its citation. */
export class DraftView {
  constructor(opened) {
    this.opened = opened;
    this.text = h("div", { class: "reply words", dir: "auto" });
    this.dropped = h("div", { class: "dropped", hidden: true });
    this.node = h("div", { class: "draft", tabindex: "0", role: "group", "aria-label": "Draft" }, this.text, this.dropped);
    this.clear();
  }

  clear() {
    this.numbers = new Map();
    this.statements = [];
    fill(this.text);
    fill(this.dropped);
    this.dropped.hidden = true;
  }

  /** Grey lines until the first statement is there; they take the place that is kept for the draft. */
  wait() {
    this.clear();
    this.node.setAttribute("aria-busy", "true");
    fill(this.text, h("div", { class: "stack", "aria-hidden": "true" }, [1, 2, 3, 1, 2].map((n) => h("span", { class: `skeleton line-${n}` }))));
  }

  /** One more statement; one that starts at 0 begins the draft anew. */
  add(statement) {
    if (statement.start === 0 || !this.statements.length) {
      this.clear();
      announce("The draft is being written.");
    }
    this.statements.push(statement);
    this.text.append(statement.lead ?? "", this.spoken(statement, this.statements.length - 1));
  }

  /** The statement's words; its last word and the numbers of its sources stay on one line. */
  spoken(statement, at) {
    const cites = ofEachSource(statement.citations).map(([citation, number]) => this.cite(citation, at, number));
    const [head, tail] = cites.length ? parted(statement.text) : [statement.text, ""];
    const said = h("span", { class: `statement ${statement.support}`, title: statement.support === "partial" ? "Supported in part: check it against the source" : null }, head, cites.length > 0 && h("span", { class: "together" }, tail, cites));
    if (cites.length) said.addEventListener("click", (event) => { if (!event.target.closest(".cite") && !String(getSelection())) this.opened(at, 0); });
    return said;
  }

  cite(citation, at, number) {
    const key = `${citation.document_id}\n${citation.revision}`;
    if (!this.numbers.has(key)) this.numbers.set(key, this.numbers.size + 1);
    const shown = this.numbers.get(key);
    return h("button", { class: "cite", type: "button", "aria-label": `Source ${shown}: ${citation.title}`, title: citation.title, data: { statement: at, citation: number }, on: { click: () => this.opened(at, number) } }, String(shown));
  }

  /** The finished draft, with what was left out and why. */
  done(draft) {
    this.node.removeAttribute("aria-busy");
    const ended = retold(draft);
    if (ended.length !== this.statements.length || ended.some((one, at) => one.text !== this.statements[at].text || one.support !== this.statements[at].support)) {
      this.clear();
      ended.forEach((one) => this.add(one));
    }
    if (!draft.dropped.length) return;
    this.dropped.hidden = false;
    fill(this.dropped, h("h3", {}, "Left out: no source supports it"), h("ul", { class: "stack tight" }, draft.dropped.map((one) =>
      h("li", {}, h("del", { class: "words", dir: "auto" }, one.text), h("span", { class: "small muted" }, ` ${one.reason}`)))));
  }
}

function parted(text) {
  const at = text.lastIndexOf(" ") + 1;
  return text.length - at <= 24 ? [text.slice(0, at), text.slice(at)] : [text, ""];
}

/** The first citation of each source with its index: a statement that rests on several stretches of one text shows its number once. */
export function ofEachSource(citations) {
  return [...citations.entries()].filter(([at, one]) => citations.findIndex((other) => isSame(one, other)) === at).map(([at, one]) => [one, at]);
}

/** The citation first, then the others of the same text, all to be marked as cited. */
export function sameSource(citations, citation) {
  return [citation, ...citations.filter((one) => one !== citation && isSame(one, citation))].map((one) => ({ ...one, cited: true }));
}

function isSame(one, other) {
  return one.document_id === other.document_id && one.revision === other.revision;
}

/** A finished draft's statements with their words, as they were streamed. */
export function retold(draft) {
  const points = [...draft.text];
  let done = 0;
  return draft.statements.map((one) => {
    const made = { ...one, text: points.slice(one.start, one.end).join(""), lead: points.slice(done, one.start).join("") };
    done = one.end;
    return made;
  });
}
