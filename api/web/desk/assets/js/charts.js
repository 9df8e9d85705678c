// Small charts as SVG. Each is an image with its sentence for a screen reader; the numbers stand in a table beside it.

import { fill, h } from "./dom.js";

const LEFT = 44, RIGHT = 12, TOP = 10, BOTTOM = 22;

/** A box that draws itself anew for its width: `drawn(width => node)`. */
export function drawn(draw) {
  const box = h("div", { class: "chart" });
  let width = 0;
  new ResizeObserver(([entry]) => {
    const now = Math.round(entry.contentRect.width);
    if (!now || now === width) return;
    width = now;
    fill(box, draw(width));
  }).observe(box);
  return box;
}

/** Values over time with their intervals: `points` are `{label, value, low, high}`, oldest first. */
export const lineChart = (points, { title, height = 200 }) => drawn((width) => {
  const lines = rounds(points.flatMap((one) => [one.low, one.high, one.value])), bottom = lines[0], top = lines.at(-1);
  const x = (at) => LEFT + (points.length === 1 ? 0.5 : at / (points.length - 1)) * (width - LEFT - RIGHT - 16) + 8;
  const y = (value) => TOP + (1 - (value - bottom) / (top - bottom)) * (height - TOP - BOTTOM);
  const line = points.map((one, at) => `${at ? "L" : "M"}${x(at).toFixed(1)} ${y(one.value).toFixed(1)}`).join("");
  return frame(width, height, title, [
    grid(lines, width, y),
    points.map((one, at) => [
      h("line", { class: "interval", x1: x(at), x2: x(at), y1: y(one.low), y2: y(one.high) }),
      h("circle", { class: "point", cx: x(at), cy: y(one.value), r: 3.5 }),
    ]),
    points.length > 1 && h("path", { class: "trend", d: line }),
    ends(points.map((one) => one.label), x, height),
  ]);
});

/** Stacked bars: `bars` are `{label, parts: [number…]}`; the classes part-0, part-1, … colour them. */
export const barChart = (bars, { title, height = 160 }) => drawn((width) => {
  const lines = rounds([0, 1, ...bars.map((one) => one.parts.reduce((sum, part) => sum + part, 0))], true), top = lines.at(-1);
  const step = (width - LEFT - RIGHT) / bars.length, thick = Math.max(1, Math.min(40, step * 0.72));
  const x = (at) => LEFT + step * (at + 0.5);
  const y = (value) => TOP + (1 - value / top) * (height - TOP - BOTTOM);
  const stacks = bars.map((one, at) => {
    let under = 0;
    return one.parts.map((part, n) => {
      const from = under;
      under += part;
      return part > 0 && h("rect", { class: `part-${n}`, x: x(at) - thick / 2, y: y(under), width: thick, height: Math.max(0.5, y(from) - y(under)), rx: 1 });
    });
  });
  const few = bars.length * 56 <= width;
  return frame(width, height, title, [grid(lines, width, y), stacks,
    few ? bars.map((one, at) => text(one.label, x(at), height - 6, "middle")) : ends(bars.map((one) => one.label), x, height)]);
});

/** A value between 0 and 1 with its interval, as a thin bar. */
export function intervalBar({ value, low, high }, [bottom, top] = [0, 1]) {
  const at = (one) => Math.max(0, Math.min(100, (100 * (one - bottom)) / (top - bottom || 1)));
  return h("svg", { class: "interval-bar", viewBox: "0 0 100 10", "aria-hidden": "true" },
    h("rect", { class: "track", x: 0, y: 4, width: 100, height: 2, rx: 1 }),
    h("rect", { class: "span", x: at(low), y: 3, width: Math.max(1, at(high) - at(low)), height: 4, rx: 1 }),
    h("rect", { class: "value", x: Math.min(98, Math.max(0, at(value) - 1)), y: 1, width: 2, height: 8, rx: 1 }));
}

/** What the colours of a bar chart stand for. */
export const legend = (names) => h("ul", { class: "legend row" }, names.map((name, at) => h("li", {}, h("span", { class: `swatch swatch-${at}` }), name)));

/** 0.934 for a share, 12.3 for more. */
export const figure = (value) => (value === null || value === undefined ? "–" : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3));

function frame(width, height, title, children) {
  return h("svg", { class: "drawing", role: "img", "aria-label": title, viewBox: `0 0 ${width} ${height}`, width, height }, children);
}

/** Round numbers around the values, as far apart as makes three or four steps: the lines of the grid. */
function rounds(values, whole = false) {
  const least = Math.min(...values), most = Math.max(...values), span = most - least || Math.abs(most) || 1;
  const size = 10 ** Math.floor(Math.log10(span / 3));
  const step = Math.max(whole ? 1 : 0, size * [1, 2, 2.5, 5, 10].find((one) => size * one * 4 >= span));
  const first = Math.floor(least / step + 1e-9), last = Math.max(first + 1, Math.ceil(most / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, at) => (first + at) * step);
}

function grid(lines, width, y) {
  const digits = Math.max(0, ...lines.map((one) => (String(Number(one.toFixed(4))).split(".")[1] ?? "").length));
  return lines.map((value) => [
    h("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
    text(value.toFixed(digits), LEFT - 8, y(value) + 4, "end"),
  ]);
}

const text = (words, x, y, anchor) => h("text", { x, y, "text-anchor": anchor }, words);

function ends(labels, x, height) {
  const last = labels.length - 1;
  if (last < 1) return labels.map((label) => text(label, x(0), height - 6, "middle"));
  return [text(labels[0], x(0), height - 6, "start"), text(labels[last], x(last), height - 6, "end")];
}
