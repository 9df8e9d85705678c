// The parts that pages are made of; see desk.css for how they look.

import { byId, fill, h, icon } from "./dom.js";

/** Put nodes into the element of an id. */
export const mount = (id, ...children) => fill(byId(id), ...children);

/** A message at the bottom: `toast("Saved")`, `toast(detail, {kind: "bad"})`, `toast("Deleted", {action: "Undo", run})`. Errors stay until closed. */
export function toast(text, { kind = "", action = "", run = null } = {}) {
  const close = () => box.remove();
  const box = h("div", { class: `toast ${kind}`, role: kind === "bad" ? "alert" : null },
    h("p", {}, text),
    action && h("button", { class: "button small", type: "button", on: { click: () => { close(); run?.(); } } }, action),
    h("button", { class: "button plain square small", type: "button", "aria-label": "Close message", on: { click: close } }, icon("close")));
  byId("toast-list").append(box);
  if (kind !== "bad") setTimeout(close, action ? 10_000 : 6_000);
  return close;
}

/** Say something to a screen reader that the eye sees anyway. */
export function announce(text) {
  byId("live").textContent = "";
  requestAnimationFrame(() => { byId("live").textContent = text; });
}

/** A button: `button("Sync", {icon: "sync", kind: "primary", run})`; disabled while an async `run` is at work. */
export function button(label, { icon: name, kind = "", run, type = "button", keys, ...options } = {}) {
  const made = h("button", { class: `button ${kind}`, type, ...options }, name && icon(name), label, keys && h("kbd", { "aria-hidden": "true" }, keys));
  if (run) made.addEventListener("click", () => busy(made, run));
  return made;
}

/** Run something once at a time: the button is disabled until it is over. */
export async function busy(control, run) {
  control.disabled = true;
  try { return await run(); } finally { control.disabled = false; }
}

/** A button that is an icon alone; its label is read out and shown on hover. */
export const iconButton = (name, label, run, kind = "plain") => {
  const made = h("button", { class: `button square ${kind}`, type: "button", "aria-label": label, title: label }, icon(name));
  made.addEventListener("click", () => busy(made, run));
  return made;
};

/** A small label: kinds ok, warn, bad, info, accent, and `dot` for a state. */
export const chip = (label, kind = "", name = null) => h("span", { class: `chip ${kind}` }, name && icon(name), label);

/** A card with a heading, things at its right, and a body. */
export function card(title, { actions = [], level = 2, flush = false } = {}, ...children) {
  return h("section", { class: "card" },
    title && h("header", {}, h(`h${level}`, {}, title), actions),
    flush ? children : h("div", { class: "body" }, children));
}

/** What is shown where there is nothing. */
export const empty = ({ icon: name = "info", title, text = "", actions = [] }) =>
  h("div", { class: "empty" }, icon(name), h("h2", {}, title), text && h("p", {}, text), actions.length > 0 && h("div", { class: "row" }, actions));

/** A notice: kinds "", ok, warn, bad. */
export const notice = (kind, ...children) =>
  h("div", { class: `notice ${kind}`, role: kind === "bad" ? "alert" : null }, icon(kind === "ok" ? "check" : kind ? "alert" : "info"), h("div", { class: "grow" }, children));

/** Grey lines that hold the place of what is being loaded. */
export const skeleton = (lines = 3) =>
  h("div", { class: "stack", "aria-hidden": "true" }, Array.from({ length: lines }, (_, at) => h("span", { class: `skeleton line-${1 + (at % 3)}` })));

/** A field with its label and hint: `field("Name", input, {hint})`. */
let fields = 0;
export function field(label, control, { hint = "" } = {}) {
  control.id ||= `field-${(fields += 1)}`;
  if (hint) control.setAttribute("aria-describedby", `${control.id}-hint`);
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, hint && h("span", { class: "hint", id: `${control.id}-hint` }, hint));
}

export const input = (options = {}) => h("input", { class: "input", ...options });
export const textarea = (options = {}) => h("textarea", { class: "input", ...options });
/** A select of `[value, label]` pairs or plain values. */
export const select = (choices, options = {}) => {
  const made = h("select", { class: "input" }, choices.map((one) => (Array.isArray(one) ? h("option", { value: one[0] }, one[1]) : h("option", { value: one }, one))));
  for (const [name, value] of Object.entries(options)) name === "value" ? (made.value = value) : name === "on" ? Object.entries(value).forEach(([e, f]) => made.addEventListener(e, f)) : made.setAttribute(name, value);
  return made;
};

/** A table that scrolls sideways where it must: `table("Documents", ["Title", {label: "Chunks", end: true}], rows)`; rows are arrays of nodes or text. */
export function table(caption, heads, rows) {
  const columns = heads.map((one) => (typeof one === "string" ? { label: one } : one));
  const cells = (row) => row.map((cell, at) => h(at === 0 ? "th" : "td", { class: columns[at].end ? "end" : null, scope: at === 0 ? "row" : null }, cell));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, columns.map((one) => h("th", { scope: "col", class: one.end ? "end" : null }, one.label)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, cells(row))))));
}

/** Tabs by arrow keys: `tabs("Views", [{id, label, show: () => node}], {chosen, changed})`. */
export function tabs(label, list, { chosen = list[0].id, changed = () => {} } = {}) {
  const body = h("div", { role: "tabpanel", id: `panel-of-${list[0].id}`, tabindex: "0" });
  const heads = list.map((one) => h("button", { type: "button", role: "tab", id: `tab-${one.id}`, "aria-controls": body.id, on: { click: () => choose(one.id) } }, one.label));
  function choose(id, focus = false) {
    const at = Math.max(0, list.findIndex((one) => one.id === id));
    heads.forEach((head, n) => { head.setAttribute("aria-selected", String(n === at)); head.tabIndex = n === at ? 0 : -1; });
    body.setAttribute("aria-labelledby", heads[at].id);
    fill(body, list[at].show());
    if (focus) heads[at].focus();
    changed(list[at].id);
  }
  const bar = h("div", { class: "tabs", role: "tablist", "aria-label": label }, heads);
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = heads.findIndex((head) => head.tabIndex === 0);
    choose(list[(at + step + list.length) % list.length].id, true);
  });
  choose(chosen);
  return Object.assign(h("div", { class: "stack" }, bar, body), { choose });
}

/** Ask before something that cannot be undone; answers whether to go on. */
export function confirm({ title, text = "", yes = "Delete", kind = "danger" }) {
  return new Promise((resolve) => {
    const box = dialog(title, [text && h("p", {}, text), h("div", { class: "actions" },
      h("button", { class: "button", value: "", type: "submit" }, "Cancel"), h("button", { class: `button ${kind}`, value: "yes", type: "submit" }, yes))]);
    box.addEventListener("close", () => resolve(box.returnValue === "yes"));
  });
}

/** A modal dialog whose content is a form with method=dialog; removed when it closes. */
export function dialog(title, children, { submit } = {}) {
  const form = h("form", { method: "dialog" }, h("h2", { id: "dialog-title" }, title), children);
  const box = h("dialog", { "aria-labelledby": "dialog-title" }, form);
  if (submit) form.addEventListener("submit", (event) => { if (event.submitter?.value !== "") { event.preventDefault(); submit(box); } });
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}

let shown = null;

/** The side panel: beside the page, over it on a phone. Escape or its button closes it, and the focus goes back. */
export function panel(title, ...children) {
  closePanel(false);
  const before = document.activeElement;
  const heading = h("h2", { id: "panel-title", class: "clip", tabindex: "-1" }, title);
  const box = h("aside", { class: "panel", "aria-labelledby": "panel-title" },
    h("header", {}, heading, iconButton("close", "Close panel", () => closePanel())), h("div", { class: "body stack" }, children));
  box.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); closePanel(); } });
  document.body.append(box);
  shown = { box, before };
  heading.focus();
  return box;
}

/** Close the side panel, if one is open. */
export function closePanel(refocus = true) {
  shown?.box.remove();
  if (refocus && shown?.before?.isConnected) shown.before.focus();
  shown = null;
}

/** A progress bar with its line of text: `bar.show({done, total, text})`. */
export function progressBar(label) {
  const bar = h("progress", { "aria-label": label, max: "1" });
  const line = h("p", { class: "small muted num", "aria-live": "off" });
  const box = h("div", { class: "stack tight" }, bar, line);
  return Object.assign(box, {
    show({ done, total, text = "" }) {
      if (total) bar.value = done / total; else bar.removeAttribute("value");
      line.textContent = text;
    },
  });
}

/** Copy text, and say so. */
export async function copy(text, said = "Copied") {
  try {
    await navigator.clipboard.writeText(text);
    toast(said);
  } catch {
    toast("The browser does not let the page copy. Select the text and copy it yourself.", { kind: "bad" });
  }
}
