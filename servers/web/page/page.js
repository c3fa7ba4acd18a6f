// The whole: which screen is shown, keys, the servers, light and dark.
import { json } from "./api.js";
import { $, $$, h } from "./elements.js";
import { SendScreen } from "./send.js";
import { StreamsScreen } from "./streams.js";
import { WatchScreen } from "./watch.js";
import { WireScreen } from "./wire.js";
import { safe } from "./written.js";

const SCREENS = { send: SendScreen, watch: WatchScreen, wire: WireScreen, streams: StreamsScreen };
const TABS = { 1: "#/send", 2: "#/watch", 4: "#/streams" };
const LOOK_MS = 15000;
const TOAST_MS = 8000;

const app = {
  server: null,
  screen: null,
  last: null,
  /** The configured servers; this one alone if the server does not tell. */
  backends: () => app.server?.backends ?? [],
  servers: look,
  rules,
  toast,
};

let texts = null;
/** The texts of all rules by their ids; asked for once. */
function rules() {
  texts ??= json("ui/rules").catch(() => {
    texts = null;
    return {};
  });
  return texts;
}

/** Ask which servers there are and whether they answer. */
async function look() {
  try {
    app.server = await json("ui/server");
  } catch (error) {
    if (error.status) app.server = { backends: [], history: null, ...app.server };
    else app.server = { ...app.server, backends: app.backends().map((each) => ({ ...each, up: false })) };
  }
  drawServers();
}

function drawServers() {
  const port = (backend) => {
    try {
      return ` ${new URL(backend.url).port}`;
    } catch {
      return "";
    }
  };
  $("#servers").replaceChildren(
    ...app.backends().map((backend) => {
      const isDown = backend.up === false;
      const dot = h(
        `svg.dot${isDown ? ".off" : ""}`,
        { viewBox: "0 0 8 8", "aria-hidden": "true" },
        h("circle", { cx: 4, cy: 4, r: 3 }),
      );
      return h("span", null, dot, safe(backend.name), port(backend), isDown ? " no answer" : "");
    }),
  );
}

let toasting;
/** A note at the foot of the page for some seconds, maybe with a link [text, hash]. */
function toast(content, link = null) {
  clearTimeout(toasting);
  const box = $("#toast");
  box.replaceChildren(h("span", null, content), link ? h("a", { href: link[1] }, link[0]) : "");
  box.hidden = false;
  toasting = setTimeout(() => (box.hidden = true), TOAST_MS);
}

async function route() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decoded);
  const screen = SCREENS[name] ? name : "watch";
  app.screen?.close?.();
  $("#toast").hidden = true;
  for (const tab of $$(".tabs a")) {
    if (tab.dataset.tab === screen) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  app.screen = new SCREENS[screen](app, $("#main"), rest);
  scrollTo(0, 0);
  await app.screen.open();
  if (app.last) $("[data-tab=wire]").href = `#/wire/${app.last}`;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

addEventListener("hashchange", () => {
  route();
  $("#main").focus({ preventScroll: true });
});

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input,textarea,select,dialog")) {
    if (event.key === "Escape" && !event.target.closest("dialog")) event.target.blur();
    return;
  }
  if (TABS[event.key]) location.hash = TABS[event.key];
  else if (event.key === "3") location.hash = `#/wire/${app.last ?? ""}`;
  else if (event.key === "?") $("#help").showModal();
  else if (!app.screen?.key?.(event)) return;
  event.preventDefault();
});

const root = document.documentElement;
const isDark = () =>
  (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
try {
  const theme = localStorage.getItem("wireproof-theme");
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;
} catch {
  // The browser keeps nothing for this page.
}
$("#theme").addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  try {
    localStorage.setItem("wireproof-theme", root.dataset.theme);
  } catch {
    // See above.
  }
});
$("#keys").addEventListener("click", () => $("#help").showModal());
setInterval(() => document.visibilityState === "visible" && look(), LOOK_MS);
await look();
route();
