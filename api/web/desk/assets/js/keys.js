// Keyboard shortcuts: pages register theirs, `?` shows them all. Single keys can be turned off (WCAG 2.1.4).

import { fill, h } from "./dom.js";

const OFF = "desk.keys";
const known = new Map();
let typed = "", timer = 0;

/** Register `"a"`, `"g i"`, `"mod+enter"` (Ctrl, or Cmd on a Mac): runs while no text is being typed; `mod+` ones always. Returns how to take it back. */
export function shortcut(keys, label, run, { group = "This page", when = () => true } = {}) {
  known.set(keys, { label, run, group, when });
  return () => known.delete(keys);
}

/** Whether single keys are on. */
export const areOn = () => stored() !== "off";

function stored() {
  try { return localStorage.getItem(OFF); } catch { return null; }
}

function typing(target) {
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !/^(checkbox|radio|button|submit)$/.test(target.type);
}

function named(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : { Escape: "esc", Enter: "enter", ArrowDown: "down", ArrowUp: "up" }[event.key] ?? event.key;
  return (event.ctrlKey || event.metaKey ? "mod+" : "") + key;
}

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || event.isComposing || event.key === "Shift" || event.key === "Control" || event.key === "Meta") return;
  const key = named(event), held = key.startsWith("mod+");
  if (!held && (typing(event.target) || !areOn() || document.querySelector("dialog[open]"))) return;
  clearTimeout(timer);
  const sequence = typed ? `${typed} ${key}` : key;
  const found = known.get(sequence) ?? known.get(key);
  typed = "";
  if (found?.when()) {
    event.preventDefault();
    found.run(event);
  } else if ([...known.keys()].some((keys) => keys.startsWith(`${key} `))) {
    typed = key;
    timer = setTimeout(() => { typed = ""; }, 1000);
  }
});

/** The dialog with every shortcut. */
export function showShortcuts() {
  const on = h("input", { type: "checkbox", checked: areOn() });
  on.addEventListener("change", () => { try { localStorage.setItem(OFF, on.checked ? "on" : "off"); } catch { /* lasts for this page, then */ } });
  const groups = Map.groupBy ? Map.groupBy([...known], ([, one]) => one.group) : grouped([...known]);
  const box = h("dialog", { "aria-labelledby": "shortcuts-title" });
  fill(box, h("form", { method: "dialog" },
    h("h2", { id: "shortcuts-title" }, "Keyboard shortcuts"),
    [...groups].map(([group, list]) => h("section", { class: "stack tight" },
      h("h3", { class: "muted" }, group),
      list.map(([keys, one]) => h("div", { class: "row apart keep" }, h("span", {}, one.label), h("span", { class: "row tight keep" }, caps(keys)))))),
    h("label", { class: "check" }, on, "Single-key shortcuts"),
    h("div", { class: "actions" }, h("button", { class: "button primary", type: "submit" }, "Close"))));
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
}

/** Keys as <kbd>, for buttons and hints. */
export const caps = (keys) => keys.split(" ").map((key) => h("kbd", {}, key.split("+").map(shown).join("+")));

const shown = (key) => ({ mod: /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl", enter: "Enter", esc: "Esc", down: "↓", up: "↑" })[key] ?? key;

function grouped(list) {
  const groups = new Map();
  for (const one of list) groups.set(one[1].group, [...(groups.get(one[1].group) ?? []), one]);
  return groups;
}
