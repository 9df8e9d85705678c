// What every page has: the menu on a phone, the theme, the shortcuts.

import { byId } from "./dom.js";
import { shortcut, showShortcuts } from "./keys.js";
import { announce } from "./ui.js";
import { forgetWords } from "./unsaved.js";

const root = document.documentElement, side = byId("side"), menu = byId("menu");

function openMenu(open) {
  side.toggleAttribute("data-open", open);
  menu.setAttribute("aria-expanded", String(open));
  if (open) side.querySelector("nav a")?.focus(); else menu.focus();
}

menu.addEventListener("click", () => openMenu(!side.hasAttribute("data-open")));
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && side.hasAttribute("data-open")) openMenu(false); });
document.addEventListener("click", (event) => {
  if (side.hasAttribute("data-open") && !side.contains(event.target) && !menu.contains(event.target)) openMenu(false);
});

const NEXT = { system: "light", light: "dark", dark: "system" };

function theme() {
  return root.dataset.theme ?? "system";
}

function turn() {
  const next = NEXT[theme()];
  if (next === "system") delete root.dataset.theme; else root.dataset.theme = next;
  try { next === "system" ? localStorage.removeItem("desk.theme") : localStorage.setItem("desk.theme", next); } catch { /* lasts for this page, then */ }
  label();
  announce(`Theme: ${next}`);
}

function label() {
  byId("theme").setAttribute("aria-label", `Theme: ${theme()}`);
  byId("theme").title = `Theme: ${theme()}`;
}

forgetWords();
document.querySelector("form[action$='/sign-out']")?.addEventListener("submit", () => forgetWords({ all: true }));
label();
byId("theme").addEventListener("click", turn);
byId("shortcuts").addEventListener("click", showShortcuts);
shortcut("?", "Show all shortcuts", showShortcuts, { group: "Everywhere" });
shortcut("t", "Change the theme", turn, { group: "Everywhere" });
shortcut("/", "Go to the search field", () => document.querySelector("#main input[type=search]")?.focus(), { group: "Everywhere" });
for (const link of document.querySelectorAll("a[data-key]")) {
  if (link.dataset.key) shortcut(link.dataset.key, `Go to ${link.textContent.trim()}`, () => link.click(), { group: "Go to" });
}
