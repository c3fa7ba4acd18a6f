// The JSON and event routes of the server. All URLs are relative, so the page works behind a path prefix.
import { $, h, save } from "./elements.js";

const TOKEN = "wireproof-token";
const RETRY_MS = 2000;
let token = null;
let asked = null;
try {
  token = sessionStorage.getItem(TOKEN);
} catch {
  // The browser keeps nothing for this page: the token lives as long as the page.
}

/** A request that failed: `status` 0 means that no server answered. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `The server answered ${status}`);
    this.status = status;
    this.code = problem.code ?? "";
  }
}

/** The URL of a path of the server; the page itself lives at `ui/`. */
export const url = (path) => new URL(`../${path.replace(/^\//, "")}`, document.baseURI).href;
/** The address of the server, with the path prefix of a proxy if there is one. */
export const address = () => url("").replace(/\/$/, "");
export const headers = () => (token ? { Authorization: `Bearer ${token}` } : {});
export const hasToken = () => token !== null;

/** Ask for the token once, however many requests wait for it. False when the reader closes the dialog. */
export function askForToken(again) {
  asked ??= new Promise((done) => {
    const dialog = $("#token");
    const field = $("input", dialog);
    $(".wrong", dialog).hidden = !again;
    field.value = "";
    dialog.onclose = () => {
      asked = null;
      if (dialog.returnValue !== "use" || !field.value) return done(false);
      token = field.value;
      try {
        sessionStorage.setItem(TOKEN, token);
      } catch {
        // See above.
      }
      done(true);
    };
    dialog.returnValue = "";
    dialog.showModal();
  });
  return asked;
}

async function problemOf(response) {
  try {
    return await response.json();
  } catch {
    return { title: `${response.status} ${response.statusText}` };
  }
}

/** A response with a status below 400. Raises ApiError, and AbortError when its signal says so. */
export async function call(path, options = {}) {
  for (;;) {
    const sent = token;
    let response;
    try {
      response = await fetch(url(path), { ...options, headers: { ...options.headers, ...headers() } });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError(0, { title: "The server does not answer" });
    }
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (response.status !== 401) throw new ApiError(response.status, problem);
    if (sent === token && !(await askForToken(sent !== null))) throw new ApiError(401, problem);
  }
}

export const json = async (path, options) => (await call(path, options)).json();

/** Server-Sent Events from text that comes in pieces: `feed` gives the complete ones. */
export class EventReader {
  constructor() {
    this.rest = "";
  }

  feed(text) {
    this.rest += text;
    const blocks = this.rest.split(/\r?\n\r?\n/);
    this.rest = blocks.pop();
    return blocks.map(eventOf);
  }
}

function eventOf(block) {
  const event = { type: "message", data: "", id: null, isEmpty: true };
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
    if (!name) continue;
    if (name === "data") data.push(value ?? "");
    else if (name === "event") event.type = value;
    else if (name === "id") event.id = value;
  }
  event.data = data.join("\n");
  event.isEmpty = !data.length; // a comment, or `retry`: nothing is dispatched
  return event;
}

/**
 * Follow the events of the server until `signal` ends it; a lost connection goes on from the last event.
 * `fetch` instead of EventSource, because the token is a header. `onState(true | ApiError)` tells what it is like.
 */
export async function follow(path, onEvent, onState, signal) {
  let last = null;
  while (!signal.aborted) {
    try {
      const response = await call(path, { signal, headers: last === null ? {} : { "Last-Event-ID": last } });
      onState(true);
      const text = response.body.pipeThrough(new TextDecoderStream()).getReader();
      const reader = new EventReader();
      for (;;) {
        const { done, value } = await text.read();
        if (done) break;
        for (const event of reader.feed(value)) {
          last = event.id ?? last;
          if (!event.isEmpty) onEvent(event.type, JSON.parse(event.data));
        }
      }
      if (!signal.aborted) onState(new ApiError(0, { title: "The server has closed the stream" }));
    } catch (error) {
      if (signal.aborted) return;
      onState(error instanceof ApiError ? error : new ApiError(0, { title: "The connection was lost" }));
      if (error.status === 404 || error.status === 401) return;
    }
    await new Promise((done) => setTimeout(done, RETRY_MS));
  }
}

/** Save what a route gives as a file; a plain link cannot carry the token. */
export async function download(path, name) {
  save(await (await call(path)).blob(), name);
}

/** A short text about an error, for a place in the page. */
export const told = (error) => h("p.quiet.err", { role: "alert" }, `▲ ${error.message}`);
