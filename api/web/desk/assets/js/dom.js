// Builds elements. All text of customers and documents is hostile: it only ever becomes text nodes and the attributes listed here.

const ATTRIBUTES = new Set([
  "id", "class", "role", "title", "type", "name", "value", "placeholder", "for", "href", "target", "rel", "download", "tabindex", "hidden",
  "disabled", "checked", "selected", "required", "multiple", "readonly", "open", "min", "max", "step", "low", "high", "optimum", "minlength", "maxlength",
  "rows", "cols", "colspan", "rowspan", "scope", "start", "autocomplete", "autocapitalize", "spellcheck", "accept", "inputmode", "lang", "dir", "datetime",
  "width", "height", "viewBox", "d", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "points", "transform", "text-anchor", "form", "method", "pattern",
  "enterkeyhint", "contenteditable", "draggable", "list", "sandbox", "src",
]);
const SVG = new Set(["svg", "path", "g", "rect", "circle", "line", "polyline", "polygon", "text", "tspan"]);
const FORBIDDEN = new Set(["script", "style", "object", "embed", "link", "meta", "base", "template", "use"]);

/** An element: `h("a", {class: "x", href, on: {click}, data: {id}}, "text", node, [more])`. Null, undefined and false children are left out. */
export function h(tag, options = {}, ...children) {
  if (FORBIDDEN.has(tag)) throw new TypeError(`<${tag}> is not built here`);
  const element = SVG.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(options ?? {})) set(element, name, value);
  element.append(...nodes(children));
  return element;
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
  else if (name === "data") for (const [key, one] of Object.entries(value)) element.dataset[key] = one;
  else if (name === "href") setLink(element, value);
  else if (name === "src") element.setAttribute("src", ownAddress(value));
  else if (name === "value" && "value" in element) element.value = value;
  else if (name.startsWith("aria-") || ATTRIBUTES.has(name)) element.setAttribute(name, value === true ? "" : String(value));
  else throw new TypeError(`The attribute ${name} is not set here`);
}

/** A link to a page of ours, or to an http(s) address of elsewhere; anything else (`javascript:`, `data:`) is no link. */
function setLink(element, address) {
  const safe = safeAddress(address);
  if (safe === null) return;
  element.setAttribute("href", safe);
  if (new URL(safe, location.href).origin !== location.origin) {
    element.setAttribute("target", "_blank");
    element.setAttribute("rel", "noopener noreferrer nofollow");
  }
}

/** The address if it is http or https, else null. */
export function safeAddress(address) {
  try {
    const url = new URL(String(address), location.href);
    return url.protocol === "http:" || url.protocol === "https:" ? String(address) : null;
  } catch {
    return null;
  }
}

function ownAddress(address) {
  const url = new URL(String(address), location.href);
  if (url.origin !== location.origin) throw new TypeError("Nothing is loaded from elsewhere");
  return url.pathname + url.search;
}

function nodes(children) {
  return children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false)
    .map((one) => (one instanceof Node ? one : document.createTextNode(String(one))));
}

/** Text of a customer or a document, kept apart from the text around it: its direction and overrides end with it. */
export const words = (text, options = {}) => h("bdi", { class: "words", dir: "auto", ...options }, text ?? "");

/** An icon of icons.svg. */
export function icon(name) {
  const svg = h("svg", { class: "icon", "aria-hidden": "true" });
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `/desk/assets/icons.svg#${encodeURIComponent(name)}`);
  svg.append(use);
  return svg;
}

/** Replace what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

/** The element of an id, which the page's template must have. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`There is no #${id} on this page`);
  return found;
}

const PROSE = new Set([
  "P", "H1", "H2", "H3", "H4", "H5", "H6", "UL", "OL", "LI", "STRONG", "EM", "CODE", "PRE", "BLOCKQUOTE", "A", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD",
  "BR", "HR", "DEL", "S", "SUB", "SUP", "DIV", "SPAN",
]);
const policy = globalThis.trustedTypes?.createPolicy("desk", { createHTML: (html) => html });

/** HTML that the server has sanitised, built again from the elements listed here: a second gate, so that no single mistake opens the page. */
export function prose(html, options = {}) {
  const parsed = new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");
  return h("div", { class: "prose", dir: "auto", ...options }, [...parsed.body.childNodes].map(copied));
}

function copied(node) {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
  if (node.nodeType !== Node.ELEMENT_NODE) return null;
  const inside = [...node.childNodes].map(copied);
  if (!PROSE.has(node.tagName)) return inside;
  return h(node.tagName.toLowerCase(), node.tagName === "A" ? { href: node.getAttribute("href") ?? "" } : {}, inside);
}
