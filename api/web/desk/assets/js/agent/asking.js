// Questions to the knowledge: each answer with the sources that it rests on. Nothing of it is kept or goes to a customer.

import { events } from "../api.js";
import { fill, h, icon, words } from "../dom.js";
import { announce, button, copy, notice, skeleton } from "../ui.js";
import { ofEachSource, retold, sameSource } from "./draft.js";

/** A chat; `opened(source, spans)` shows a source. */
export function asking(opened, { greeting = "Ask what you would ask a colleague who has read everything." } = {}) {
  const log = h("ol", { class: "asked", "aria-label": "Questions and answers" });
  const hint = h("p", { class: "muted" }, greeting);
  const question = h("textarea", { class: "input", rows: 2, maxlength: 4000, "aria-label": "Your question", placeholder: "How long is the warranty for resellers?" });
  const form = h("form", { class: "ask-form" }, question, button("Ask", { icon: "send", kind: "primary", type: "submit" }));
  question.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); } });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = question.value.trim();
    if (!text) return;
    question.value = "";
    hint.hidden = true;
    ask(text);
  });

  async function ask(text) {
    const answer = h("div", { class: "answer" }, skeleton(2));
    log.append(h("li", { class: "stack tight" }, h("p", { class: "question words", dir: "auto" }, text), answer));
    answer.scrollIntoView({ block: "nearest" });
    try {
      for await (const { event, data } of events("POST", "/v1/ask", { body: { question: text }, quiet: true })) if (event === "done") show(answer, data);
    } catch (error) {
      fill(answer, notice("bad", error.message));
    }
    answer.scrollIntoView({ block: "nearest" });
  }

  function show(answer, data) {
    announce(data.answered ? "The answer is there." : "No source answers this.");
    fill(answer, data.answered ? answered(data) : unanswered(data));
  }

  function answered(data) {
    const numbers = new Map();
    const numbered = (one) => { if (!numbers.has(one.document_id)) numbers.set(one.document_id, numbers.size + 1); return numbers.get(one.document_id); };
    return [
      data.internal && h("p", { class: "small warn row tight" }, icon("alert"), "Rests on an internal document: don't paste it into a reply."),
      h("div", { class: "reply words", dir: "auto" }, retold(data).map((one) => [one.lead, one.text, ofEachSource(one.citations).map(([citation]) => h("button", { class: "cite", type: "button", title: citation.title, "aria-label": `Source ${numbered(citation)}: ${citation.title}`, on: { click: () => opened(citation, sameSource(one.citations, citation)) } }, String(numbered(citation))))])),
      h("div", { class: "row" }, button("Copy", { icon: "copy", kind: "small", run: () => copy(data.text) })),
    ];
  }

  function unanswered(data) {
    return [h("p", {}, data.reason ?? "No source answers this."), data.nearest.length > 0 && h("ul", { class: "stack tight" }, data.nearest.map((one) =>
      h("li", {}, h("button", { class: "link", type: "button", on: { click: () => opened({ ...one, kind: "document" }, []) } }, words(one.title)))))];
  }

  return Object.assign(h("div", { class: "ask" }, h("div", { class: "ask-log", "aria-live": "polite" }, hint, log), form), { focusField: () => question.focus() });
}
