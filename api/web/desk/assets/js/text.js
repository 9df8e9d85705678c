// The server counts Unicode code points, JavaScript counts UTF-16 units: one emoji is 1 there and 2 here.

/** A text whose offsets are the server's: `points.slice(start, end)`, `points.unit(offset)` for the place in the JavaScript string. */
export class Points {
  constructor(text) {
    this.text = text;
    this.plain = !/[\ud800-\udbff]/.test(text);
    this.units = null;
  }

  /** The UTF-16 offset of a code point offset. */
  unit(point) {
    if (this.plain) return Math.min(point, this.text.length);
    this.units ??= unitsOf(this.text);
    return this.units[Math.min(point, this.units.length - 1)];
  }

  /** The code point offset of a UTF-16 offset. */
  point(unit) {
    return this.plain ? unit : [...this.text.slice(0, unit)].length;
  }

  slice(start, end) {
    return this.text.slice(this.unit(start), this.unit(end));
  }

  /** How many code points there are. */
  get length() {
    if (this.plain) return this.text.length;
    this.units ??= unitsOf(this.text);
    return this.units.length - 1;
  }
}

function unitsOf(text) {
  const units = [];
  let at = 0;
  for (const character of text) {
    units.push(at);
    at += character.length;
  }
  units.push(at);
  return units;
}

/** The text cut at spans `[{start, end, ...}]` (code points; sorted, not overlapping): `[{text, span}]`, where span is null between them. */
export function cut(text, spans) {
  const points = new Points(text), pieces = [];
  let at = 0;
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    if (span.start < at || span.end <= span.start) continue;
    if (span.start > at) pieces.push({ text: points.slice(at, span.start), span: null });
    pieces.push({ text: points.slice(span.start, span.end), span });
    at = span.end;
  }
  if (at < points.length) pieces.push({ text: points.slice(at, points.length), span: null });
  return pieces;
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const STEPS = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];

/** "3 hr. ago" for an ISO time; empty for none. */
export function ago(iso, now = Date.now()) {
  if (!iso) return "";
  const seconds = (Date.parse(iso) - now) / 1000;
  for (const [unit, size] of STEPS) if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  return "just now";
}

const moments = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const days = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });

/** "22 Nov 2026, 06:15" */
export const moment = (iso) => (iso ? moments.format(new Date(iso)) : "");
/** "22 Nov 2026" */
export const day = (iso) => (iso ? days.format(new Date(iso)) : "");
/** 12,345 */
export const count = (number) => new Intl.NumberFormat("en").format(number);
/** "1 document", "2 documents" */
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
/** "knowledge_manager" as "knowledge manager" */
export const spoken = (name) => String(name).replaceAll("_", " ").replaceAll("-", " ");

/** "about 3 minutes" for seconds */
export function duration(seconds) {
  if (seconds < 1) return "under a second";
  if (seconds < 90) return plural(Math.round(seconds), "second");
  if (seconds < 5400) return plural(Math.round(seconds / 60), "minute");
  return `${(seconds / 3600).toFixed(1)} hours`;
}
