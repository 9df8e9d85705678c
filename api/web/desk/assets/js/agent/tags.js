// What triage says, as chips.

import { icon } from "../dom.js";
import { chip } from "../ui.js";
import { spoken } from "../text.js";

const MOOD = { very_negative: "bad", negative: "warn", positive: "ok", very_positive: "ok" };
const CHANNEL = { email: "mail", chat: "chat", phone: "phone", social: "user", form: "file" };
const languages = new Intl.DisplayNames("en", { type: "language" });

export const channelIcon = (channel) => icon(CHANNEL[channel] ?? "mail");

/** "Dutch" for "nl"; the code itself where nobody knows it. */
export function languageName(code) {
  try { return languages.of(code) ?? code; } catch { return code; }
}

/** The chips of a triage: urgency where it is not normal, intent, mood where there is one, language where it is not English. */
export function tagChips(triage, { all = false, urgency: soon = true } = {}) {
  if (!triage) return [];
  const { urgency, intent, sentiment, language } = triage, chips = [];
  if (urgency.label === "high" && soon) chips.push(chip("urgent", "bad", "clock"));
  else if (urgency.label === "low" && all && soon) chips.push(chip("not urgent"));
  chips.push(chip(spoken(intent.label), intent.level === "low" ? "" : "info"));
  if (sentiment.label !== "neutral" || all) chips.push(moodChip(sentiment));
  if (language.label !== "en" || all) chips.push(chip(languageName(language.label)));
  return chips;
}

function moodChip({ label, trend }) {
  const made = chip(spoken(label), `${MOOD[label] ?? ""} dot`);
  if (trend !== "steady") made.append(icon(trend === "worsening" ? "arrow-down" : "arrow-up"), trend);
  return made;
}

export const escalationChip = (escalation) => (escalation?.recommended ? chip(escalation.level, "bad", "flag") : null);

/** "4 min", "3 h", "2 d": how long ago an ISO time was. */
export function waited(iso, now = Date.now()) {
  const minutes = Math.max(0, Math.floor((now - Date.parse(iso)) / 60_000));
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}

/** Who writes, by name, else by id. */
export const called = (customer) => customer.name || customer.id || "Unknown customer";
