// Talks to /v1. What goes wrong is shown as a toast that says what to do, unless the caller asks for quiet, and is thrown as a Problem either way.

import { toast } from "./ui.js";

const { csrf, user, workspace, roles, page, params, model } = document.body.dataset;

/** Who looks at the page, what its address names, and whether the server has a language model. */
export const session = Object.freeze({
  user, workspace, page, model: Boolean(model), roles: new Set((roles ?? "").split(" ")), params: JSON.parse(params ?? "{}"),
  has: (...wanted) => wanted.some((role) => session.roles.has(role)),
});

/** An error as the server tells it (RFC 9457). */
export class Problem extends Error {
  constructor(status, detail, errors = []) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }
}

addEventListener("unhandledrejection", (event) => {
  if (event.reason instanceof Problem || event.reason?.name === "AbortError") event.preventDefault(); // a toast has said it already
});

export const get = (path, options) => request("GET", path, options);
export const post = (path, body, options) => request("POST", path, { body: body ?? {}, ...options });
export const put = (path, body, options) => request("PUT", path, { body: body ?? {}, ...options });
export const del = (path, options) => request("DELETE", path, options);

/** A document's or conversation's id as part of a path; slashes stay, as the server's routes have them. */
export const segment = (id) => String(id).split("/").map(encodeURIComponent).join("/");

/** The response's JSON (null for none). `query` values that are null or empty are left out; a FormData `body` is sent as it is. */
export async function request(method, path, { query, body, headers, signal, quiet = false } = {}) {
  const response = await send(method, path, { query, body, headers, signal, quiet });
  if (response.status === 204) return null;
  return (response.headers.get("content-type") ?? "").includes("json") ? response.json() : response.text();
}

/** Events of a stream as `{event, data}`, with data parsed: `for await (const {event, data} of events("POST", "/v1/suggestions", {body}))`. */
export async function* events(method, path, { body, headers, signal, quiet = false } = {}) {
  const accept = { ...headers, Accept: "text/event-stream" };
  const response = await send(method, path, { body, headers: accept, signal, quiet });
  for await (const block of blocks(response.body)) {
    const one = parsed(block);
    if (!one) continue;
    if (one.event === "error") throw told(new Problem(one.data.status, one.data.detail), quiet);
    yield one;
  }
}

/** Follow a GET stream until one of the events in `until` came; a broken connection is taken up again, slower each time. */
export async function* follow(path, { until = ["done", "failed"], signal } = {}) {
  let seen = "";
  for (let tries = 0; ; tries += 1) {
    try {
      for await (const one of events("GET", path, { headers: seen ? { "Last-Event-ID": seen } : {}, signal, quiet: true })) {
        tries = 0;
        seen = one.id || seen;
        yield one;
        if (until.includes(one.event)) return;
      }
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error instanceof Problem && error.status >= 400 && error.status < 500) throw told(error, error.status === 401);
    }
    await pause(Math.min(500 * 2 ** tries, 15_000), signal);
    if (signal?.aborted) return;
  }
}

async function send(method, path, { query, body, headers = {}, signal, quiet }) {
  const sent = { Accept: "application/json", ...headers };
  if (csrf && method !== "GET") sent["X-CSRF-Token"] = csrf;
  if (body !== undefined && !(body instanceof FormData)) sent["Content-Type"] = "application/json";
  const content = body === undefined || body instanceof FormData ? body : JSON.stringify(body);
  let response;
  try {
    response = await fetch(path + queried(query), { method, headers: sent, body: content, signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw told(new Problem(0, "The server does not answer. Check that it runs, then try again."), quiet);
  }
  if (response.ok) return response;
  if (response.status === 401) ended(quiet);
  throw told(await problem(response), quiet || response.status === 401);
}

function queried(query) {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== null && one !== undefined && one !== "") found.append(name, one);
  }
  return found.size ? `?${found}` : "";
}

async function problem(response) {
  try {
    const said = await response.json();
    const flaws = (said.errors ?? []).map((one) => `${one.where}: ${one.detail}`);
    return new Problem(response.status, flaws.length ? flaws.join(" · ") : said.detail || said.title, said.errors);
  } catch {
    return new Problem(response.status, `The server answered ${response.status}. Try again; its log says more.`);
  }
}

function told(error, quiet) {
  if (!quiet) toast(error.message, { kind: "bad" });
  return error;
}

let said = false;

/** The session is over: on to where one signs in, but for what runs by itself, which takes nobody away from what they are doing. */
function ended(quiet) {
  if (!quiet) return signIn();
  if (said) return;
  said = true;
  toast("Your session is over. Sign in again to go on.", { kind: "bad", action: "Sign in", run: signIn });
}

function signIn() {
  location.assign(`/desk/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}

async function* blocks(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let left = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      left += value;
      const ready = left.split(/\r?\n\r?\n/);
      left = ready.pop();
      yield* ready;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parsed(block) {
  let event = "message", data = "", id = "";
  for (const line of block.split(/\r?\n/)) {
    if (line.startsWith("event:")) event = line.slice(6).trim();
    else if (line.startsWith("id:")) id = line.slice(3).trim();
    else if (line.startsWith("data:")) data += (data && "\n") + line.slice(5).replace(/^ /, "");
  }
  return data ? { event, id, data: JSON.parse(data) } : null;
}
