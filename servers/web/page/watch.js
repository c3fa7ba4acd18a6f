// Watch: the live list. Only the rows in sight are in the document, and events are applied once a frame.
import { follow, told } from "./api.js";
import { $, $$, bytes, choice, h, num, plural, press, spacer } from "./elements.js";
import { RequestList } from "./request_list.js";
import { emptyList, ledeOf, renew, rowOf } from "./watch_rows.js";

const MOST_ROWS = 80;
const OVER = 10;
const MOST_FRESH = 10; // more new rows than these at once are not marked: that would be the whole list, and slow
const RECOUNT_MS = 1500;
const CALM_MS = 1000;
const COLUMNS = [
  ["st", "Status"],
  ["req", "Request"],
  ["strip", "Its bytes"],
  ["kind", "Kind"],
  ["size n", "Body"],
  ["be", "Servers and time"],
  ["time n", "At"],
];
const narrow = matchMedia("(max-width: 860px)");
let kept = null; // filter and position, for the way back to the list

export class WatchScreen {
  constructor(app, main) {
    this.app = app;
    this.main = main;
    this.abort = new AbortController();
    this.list = new RequestList(() => this.later());
    this.events = [];
    this.seen = new Set();
    this.elements = new Map();
    Object.assign(this.list, kept?.list);
  }

  async open() {
    document.title = "Watch · wireproof";
    const { signal } = this.abort;
    this.draw();
    addEventListener("scroll", () => this.later(), { passive: true, signal });
    addEventListener("resize", () => this.later(), { passive: true, signal });
    follow(
      "requests/events",
      (name, data) => this.event(name, data),
      (state) => this.state(state),
      signal,
    );
    await this.reload();
    if (kept?.y) scrollTo(0, kept.y);
  }

  close() {
    kept = { y: scrollY, list: { filter: this.list.filter, only: this.list.only } };
    this.abort.abort();
    clearTimeout(this.recounting);
  }

  async reload() {
    try {
      await this.list.load();
      this.seen = new Set(this.list.ids);
      this.isLoaded = true;
      this.later();
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error) {
    if (error.status !== 404) {
      if (error.status) this.notice.replaceChildren(told(error));
      else this.state(error);
      return;
    }
    this.abort.abort();
    this.lede.replaceChildren(
      "The history is off. ",
      h("span.soft", null, "Send and Streams work without it."),
    );
    this.page.replaceChildren(
      this.lede,
      h(
        "div.empty",
        null,
        h("h2", null, "This server keeps no requests"),
        h("p", null, "Start it with --history 500, and each request appears here, byte for byte."),
        h(
          "p.act",
          null,
          h("a.btn.primary", { href: "#/send" }, "Send an upload"),
          " ",
          h("a.btn", { href: "#/streams" }, "See a stream"),
        ),
      ),
    );
  }

  event(name, data) {
    if (name === "servers") return this.app.servers();
    this.events.push([name, data]);
    this.later();
    this.recounting ??= setTimeout(() => {
      this.recounting = null;
      this.list.recount();
    }, RECOUNT_MS);
  }

  /** The server is there, or is not there since when. The list goes on from the last event. */
  state(state) {
    if (this.abort.signal.aborted) return;
    if (state === true) {
      if (this.downSince) this.reload();
      this.downSince = null;
      this.banner.hidden = true;
      this.app.servers();
    } else if (state.status !== 404) {
      if (!this.downSince) this.app.servers();
      this.downSince ??= new Date();
      const since = this.downSince.toLocaleTimeString("en-GB");
      const last = this.list.ids[0];
      const then = last ? `from request ${last}` : "when it is back";
      const what = state.status
        ? `${location.host} answers ${state.status}`
        : `${location.host} does not answer`;
      this.banner.replaceChildren(
        h("b", null, "▲ Not live."),
        h(
          "span",
          null,
          `${what} since ${since}. Trying again every 2 s; nothing is lost: the list goes on ${then}.`,
        ),
      );
      this.banner.hidden = false;
    }
  }

  later() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.abort.signal.aborted) return;
      if (this.events.length && this.isLoaded) this.list.apply(this.events.splice(0));
      if (this.isLoaded) this.fill();
    });
  }

  draw() {
    const { list } = this;
    this.lede = h("h1.lede", null, "Requests. ", h("span.soft", null, "The list is on its way."));
    this.banner = h("div.banner", { role: "alert", hidden: true });
    this.notice = h("div");
    this.body = h("tbody", { role: "rowgroup" });
    [this.top, this.bottom] = [spacer(), spacer()];
    const pad = (svg) =>
      h("tbody.pad", { "aria-hidden": "true" }, h("tr", null, h("td", { colspan: COLUMNS.length }, svg)));
    this.table = h(
      "table.list",
      { role: "table", "aria-label": "Requests, newest first" },
      h(
        "thead",
        { role: "rowgroup" },
        h(
          "tr",
          { role: "row" },
          COLUMNS.map(([kind, name]) =>
            h("th", { role: "columnheader", scope: "col", class: `c-${kind}` }, name),
          ),
        ),
      ),
      pad(this.top),
      this.body,
      pad(this.bottom),
    );
    const input = h("input", {
      type: "search",
      placeholder: "Filter: target, kind, code, client",
      "aria-label": "Filter the list",
      value: list.filter,
      id: "filter",
      oninput: (event) => this.refilter({ filter: event.target.value }),
    });
    this.only = choice(
      "Show",
      [
        ["all", "All", "0"],
        ["forms", "Forms", "0"],
        ["refused", "Refused", "0"],
        ["differ", "Differ", "0"],
      ],
      list.only,
      (only) => this.refilter({ only }),
    );
    this.fresh = h("button.btn.new", { type: "button", hidden: true, onclick: () => this.release() });
    this.hold = h(
      "button.btn",
      { type: "button", id: "hold", "aria-pressed": "false", onclick: () => this.toggle() },
      "Hold",
    );
    this.none = h("div.none", { hidden: true });
    this.foot = h("p.foot");
    this.tools = h("div.tools", null, input, this.only, h("span.grow"), this.fresh, this.hold);
    this.page = h(
      "div.page.watch",
      null,
      this.banner,
      this.lede,
      this.notice,
      this.tools,
      this.table,
      this.none,
      this.foot,
    );
    this.main.replaceChildren(this.page);
  }

  refilter(change) {
    Object.assign(this.list, change);
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.reload(), change.filter === undefined ? 0 : 150);
  }

  toggle() {
    this.list.held = !this.list.held;
    this.hold.setAttribute("aria-pressed", String(this.list.held));
    this.hold.textContent = this.list.held ? "Go on" : "Hold";
    if (!this.list.held) this.letIn();
    this.later();
  }

  release() {
    if (this.list.held) this.toggle();
    else this.letIn();
    scrollTo(0, 0);
  }

  /** Show what is new: rows that wait, or the first rows of the server when some were only counted. */
  letIn() {
    if (this.list.missed) return this.reload();
    this.list.release();
  }

  /** Rows in sight, and the height of the others. */
  fill() {
    const { list } = this;
    const height = narrow.matches ? 96 : 40;
    const above = this.table.getBoundingClientRect().top + (narrow.matches ? 0 : 30);
    const first = Math.max(0, Math.floor(-above / height) - OVER);
    const count = Math.min(MOST_ROWS, Math.ceil(innerHeight / height) + 2 * OVER);
    const from = Math.max(0, Math.min(first, list.length - 1));
    const rows = list.window(from, from + count);
    const fresh = rows.filter((row) => row && !this.seen.has(row.id));
    if (fresh.length > MOST_FRESH) for (const row of fresh) this.seen.add(row.id);
    this.place(rows.map((row, index) => this.elementOf(row, from + index)));
    this.top.setAttribute("height", from * height);
    this.bottom.setAttribute("height", Math.max(0, list.length - from - rows.length) * height);
    this.table.setAttribute("aria-rowcount", list.length + 1);
    this.tell();
    this.auto();
  }

  /** The element of a row. One that is in the document stays there, so that a press or the focus is not lost. */
  elementOf(row, index) {
    if (!row) return rowOf(null, index, false);
    const known = this.elements.get(row.id);
    if (known?.row === row) {
      known.element.setAttribute("aria-rowindex", index + 2);
      return known.element;
    }
    const element = rowOf(row, index, !this.seen.has(row.id));
    this.seen.add(row.id);
    const isSame = known && known.row.target === row.target && known.row.agent === row.agent;
    if (isSame) renew(known.element, element);
    this.elements.set(row.id, { row, element: isSame ? known.element : element });
    return isSame ? known.element : element;
  }

  /** Make these the rows in the document, without moving those that are there. */
  place(elements) {
    const wanted = new Set(elements);
    for (const element of [...this.body.children]) if (!wanted.has(element)) element.remove();
    elements.forEach((element, index) => {
      const now = this.body.children[index] ?? null;
      if (now !== element) this.body.insertBefore(element, now);
    });
    for (const [id, { element }] of this.elements) if (!element.isConnected) this.elements.delete(id);
  }

  /** Let waiting rows in when they have become few again and the reader has not held the list. */
  auto() {
    const { list } = this;
    if (!list.fresh || list.held || scrollY > 0) return;
    clearTimeout(this.calming);
    this.calming = setTimeout(() => !list.isHeld() && this.letIn(), CALM_MS);
  }

  tell() {
    const { list } = this;
    const { total, counts, fresh } = list;
    const isEmpty = total === 0 && !list.ids.length && !list.filter && list.only === "all";
    const show = { all: total, forms: counts.forms, refused: counts.refused, differ: counts.different };
    for (const button of $$("button", this.only)) $("b", button).textContent = num(show[button.dataset.key]);
    press(this.only, list.only);
    this.lede.replaceChildren(...ledeOf(total, counts));
    this.tools.hidden = this.table.hidden = this.foot.hidden = isEmpty;
    this.fresh.hidden = !fresh;
    this.fresh.textContent = `${num(fresh)} new`;
    const none = !list.length || (list.isComplete && !list.ids.length);
    this.none.hidden = !none;
    if (none)
      this.none.replaceChildren(
        isEmpty
          ? emptyList()
          : h(
              "p.quiet",
              null,
              "No request matches. ",
              h("button.link", { type: "button", onclick: () => this.showAll() }, "Show all"),
            ),
      );
    const history = this.app.server?.history;
    const words = history
      ? `The server keeps the last ${num(history.requests)}, and ${bytes(history.body)} of each body.`
      : "";
    const lost = list.lost ? ` ${plural(list.lost, "request")} came too fast to be kept.` : "";
    this.foot.replaceChildren(
      h("span", null, `${plural(list.length, "request")} in this list. ${words}${lost}`),
      h(
        "span",
        null,
        this.downSince
          ? "Not live."
          : list.held
            ? "Held. New requests wait at the top."
            : "Live. Space holds the list.",
      ),
    );
  }

  showAll() {
    $("#filter", this.page).value = "";
    this.refilter({ filter: "", only: "all" });
  }

  /** A key that the page does not know itself. True if it was used. */
  key(event) {
    if (event.key === " " && !event.target.closest("button,a,summary,[role]:not(main)")) this.toggle();
    else if (event.key === "/") $("#filter", this.page)?.focus();
    else if (["j", "ArrowDown"].includes(event.key)) this.walk(1);
    else if (["k", "ArrowUp"].includes(event.key)) this.walk(-1);
    else return false;
    return true;
  }

  walk(by) {
    const links = $$("a[data-id]", this.body);
    const now = links.indexOf(document.activeElement);
    const inSight = links.findIndex((link) => link.getBoundingClientRect().top > 60);
    const next = links[now < 0 ? Math.max(0, inSight) : now + by];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "nearest" });
  }
}
