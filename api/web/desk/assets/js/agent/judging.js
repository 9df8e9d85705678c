// Saying why a draft was rejected, and what a tag should have been.

import { get } from "../api.js";
import { h } from "../dom.js";
import { dialog, field, select, textarea } from "../ui.js";
import { spoken } from "../text.js";

const REASONS = ["It answers another question", "It is wrong or out of date", "It leaves something out", "Its tone does not fit", "A person should answer this"];
const cancelOr = (label) => h("div", { class: "actions" }, h("button", { class: "button", value: "", type: "submit", formnovalidate: null }, "Cancel"), h("button", { class: "button primary", value: "yes", type: "submit" }, label));

/** Why it is rejected: the words, empty where none were given, null where the agent thought better of it. */
export function rejecting() {
  return new Promise((resolve) => {
    const more = textarea({ rows: 2, maxlength: 1500 });
    const choices = REASONS.map((reason, at) => h("label", { class: "check" }, h("input", { type: "radio", name: "reason", value: reason, checked: at === 0 }), reason));
    const box = dialog("Reject this draft", [h("fieldset", { class: "stack tight" }, h("legend", {}, "Why?"), choices), field("In your words (optional)", more), cancelOr("Reject")]);
    box.addEventListener("close", () => {
      const chosen = box.querySelector("input:checked")?.value ?? "";
      resolve(box.returnValue === "yes" ? [chosen, more.value.trim()].filter(Boolean).join(": ") : null);
    });
  });
}

/** What intent, mood and escalation really are; null where nothing was changed. */
export async function correctTags({ triage, escalation }, before) {
  const tags = await get("/v1/tags");
  const intent = select(tags.intents.map((label) => [label, spoken(label)]), { value: before.intent ?? triage.intent.label });
  const mood = select(tags.moods.map((label) => [label, spoken(label)]), { value: before.mood ?? triage.sentiment.label });
  const person = h("input", { type: "checkbox", checked: before.escalation ?? escalation.recommended });
  return new Promise((resolve) => {
    const box = dialog("Put the tags right", [field("Intent", intent), field("Mood", mood), h("label", { class: "check" }, person, "A person of another team should step in"), cancelOr("Put right")]);
    box.addEventListener("close", () => resolve(box.returnValue === "yes" ? changes() : null));
  });

  function changes() {
    const found = {};
    if (intent.value !== triage.intent.label) found.intent = intent.value;
    if (mood.value !== triage.sentiment.label) found.mood = mood.value;
    if (person.checked !== escalation.recommended) found.escalation = person.checked;
    return found;
  }
}
