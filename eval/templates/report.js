"use strict";
// Filters the worst cases. Without it everything is there, unfiltered.
(() => {
  const form = document.getElementById("filter");
  const open = (target) => {
    for (let one = target; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
  };
  const follow = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    open(target);
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", follow);
  follow();
  if (!form) return;

  const folds = [...document.querySelectorAll("#worst details.more")];
  const cases = JSON.parse(document.getElementById("cases-data").textContent).map((known) => {
    const element = document.getElementById(known.id);
    return { ...known, element, text: element.textContent.toLowerCase() };
  });
  const filter = () => {
    const wanted = Object.fromEntries(new FormData(form));
    const words = wanted.words.toLowerCase().split(/\s+/).filter(Boolean);
    const active = Boolean(wanted.kind || wanted.blame || wanted.slice || words.length);
    let shown = 0;
    for (const one of cases) {
      const fits =
        (!wanted.kind || one.kinds.includes(wanted.kind)) &&
        (!wanted.blame || one.blames.includes(wanted.blame)) &&
        (!wanted.slice || one.slices.includes(wanted.slice)) &&
        words.every((word) => one.text.includes(word));
      one.element.hidden = !fits;
      shown += fits;
    }
    for (const fold of folds) {
      const some = cases.some((one) => !one.element.hidden && fold.contains(one.element));
      fold.hidden = !some;
      if (active && some) fold.open = true;
    }
    document.getElementById("none").hidden = shown > 0;
    form.querySelector("button").hidden = !active;
    document.getElementById("count").textContent = active ? `${shown} of ${cases.length} cases` : "";
  };
  const reset = (event) => {
    event.preventDefault();
    form.reset();
  };
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("reset").addEventListener("click", reset);
  filter();
})();
