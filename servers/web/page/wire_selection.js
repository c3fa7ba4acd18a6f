// What is chosen: one span or one value. It is lit on both sides, by mouse and by keyboard, until another is.
import { $, $$, h, hex, num, plural } from "./elements.js";
import { classOf } from "./roles.js";
import { spanOfPath, within } from "./spans.js";
import { whyNoRule } from "./wire_unknown.js";

const FIRST = ["files[0].filename", "form[0].value", "json", "text", "body.sha256", "args[0].value", "host"];
const MOST_OCTETS = 8;
const HINT =
  "Point at bytes or at a value: the other side lights up. Click pins it. Arrow keys go from span to span.";

let selections = 0; // a report has several views in one document, and an id is there once

export class Selection {
  constructor(view) {
    this.view = view;
    this.activeId = `active-span-${++selections}`;
    this.span = null;
    this.path = "";
    this.pinned = false;
    this.lit = null;
  }

  /** Listen to a view that was drawn anew. */
  listen() {
    const { root, side, pane } = this.view;
    root.addEventListener("mouseover", (event) => this.point(event));
    root.addEventListener("click", (event) => this.click(event));
    side.addEventListener("focusin", (event) => {
      const node = event.target.closest("[data-path]");
      if (node && !this.pinned) this.choosePath(node.dataset.path, true);
    });
    pane.addEventListener("keydown", (event) => this.key(event));
    this.layers();
    this.tell();
  }

  /** What is chosen at first: where it stopped, where the readings differ, or a value worth a look. */
  async begin() {
    const { data, pane, options } = this.view;
    const at = stopSpan(data);
    if (at != null) await this.view.goTo(at);
    const { page } = this.view;
    if (at != null) this.choose(page.at(at));
    else if (data.diffs?.length) this.choosePath(data.diffs[0][0]);
    else {
      if (options.path) await this.choosePath(options.path, true);
      if (!this.span) this.choose(FIRST.map((path) => spanOfPath(page, path)).find(Boolean) ?? page.spans[0]);
    }
    const scrolls = pane.scrollHeight > pane.clientHeight + 4; // on a small screen the page does, and begins at its top
    if (scrolls && (at != null || this.view.mode === "hex")) this.reveal();
    if (!data.diffs?.length) this.revealValue();
  }

  spanOf(element) {
    return this.view.page.at(+element.dataset.s);
  }

  point(event) {
    if (this.pinned || !this.view.shows) return;
    const bytes = event.target.closest("[data-s]");
    const value = event.target.closest("[data-path]");
    if (bytes) this.choose(this.spanOf(bytes));
    else if (value) this.choosePath(value.dataset.path);
  }

  click(event) {
    if (!this.view.shows) return;
    const bytes = event.target.closest("[data-s]");
    const value = event.target.closest("[data-path].has");
    if (bytes) {
      const span = this.spanOf(bytes);
      this.pinned = !(this.pinned && this.span === span);
      this.choose(span);
      this.revealValue();
    } else if (value) {
      this.pinned = true;
      this.choosePath(value.dataset.path, true);
    }
  }

  choose(span, path = span?.path ?? "") {
    this.span = span ?? null;
    this.path = path;
    this.mark();
    this.tell();
  }

  /** Choose the bytes of a value; those that are not in sight are looked for only when they are asked for. */
  async choosePath(path, reveal = false) {
    const { view } = this;
    this.choose(spanOfPath(view.page, path), path);
    if (!reveal) return;
    if (!this.span) {
      const page = await view.spans.pageOf(path);
      if (!page || this.path !== path) return;
      view.page = page;
      view.drawBytes();
      this.choose(spanOfPath(page, path), path);
    }
    this.reveal();
  }

  unpin() {
    this.pinned = false;
    this.mark();
    this.tell();
  }

  /** Dim all spans but those of these roles; none for null. */
  only(roles) {
    this.lit = roles;
    this.mark();
  }

  /** Put the marker on what is chosen, on both sides. */
  mark() {
    const { root, pane, side, page, elements, map } = this.view;
    if (!root || !this.view.shows) return;
    for (const each of $$(".hot,.pin,[aria-selected=true],.row-hot", root)) {
      each.classList.remove("hot", "pin", "row-hot");
      if (each.hasAttribute("aria-selected")) each.setAttribute("aria-selected", "false");
    }
    const how = this.pinned ? "pin" : "hot";
    for (const span of page.spans) {
      const isIt = span.at === this.span?.at;
      if (!isIt && !within(span.path, this.path) && !within(span.also, this.path)) continue;
      for (const each of elements.get(span.at) ?? []) {
        each.classList.add(how);
        if (isIt && each.getAttribute("role") === "option") each.setAttribute("aria-selected", "true");
        if (isIt) each.closest("tr")?.classList.add("row-hot");
      }
    }
    pane.classList.toggle("dim", this.lit !== null);
    if (this.lit)
      for (const span of page.spans)
        for (const each of elements.get(span.at) ?? []) each.classList.toggle("lit", this.lit.has(span.role));
    this.pointToActive();
    this.valueNode(side)?.classList.add(how);
    map.mark(this.span);
  }

  pointToActive() {
    const list = $("[role=listbox]", this.view.pane);
    $(`#${this.activeId}`, this.view.root)?.removeAttribute("id");
    const active =
      this.span &&
      this.view.elements.get(this.span.at)?.find((each) => each.getAttribute("role") === "option");
    if (active) active.id = this.activeId;
    if (active && list) list.setAttribute("aria-activedescendant", this.activeId);
    else list?.removeAttribute("aria-activedescendant");
  }

  /** The node of the chosen value, or the nearest one above it that is in sight. */
  valueNode(side) {
    const nodes = new Map($$("[data-path]", side).map((node) => [node.dataset.path, node]));
    for (let path = this.path; path; path = parentOf(path)) {
      const node = nodes.get(path);
      if (node?.getClientRects().length) return node;
    }
    return null;
  }

  /** Colour each value by the layer of its bytes. */
  layers() {
    const { side, page, shows } = this.view;
    if (!shows || this.view.run?.status >= 400) return;
    const layers = new Map();
    for (const span of page.spans) {
      for (const path of [span.path, span.also]) if (path && !layers.has(path)) layers.set(path, span.role);
    }
    const paths = [...layers.keys()];
    for (const node of $$("[data-path]", side)) {
      const { path } = node.dataset;
      const role = layers.get(path) ?? layers.get(path === "target" ? "path" : `${path}.value`);
      const bar = $(".layer", node);
      if (role && bar)
        bar.replaceChildren(h(`rect.k-${classOf(role).split(" ")[1]}`, { width: 3, height: 14 }));
      node.classList.toggle("has", Boolean(role) || paths.some((each) => within(each, path)));
    }
  }

  step(by) {
    const { page } = this.view;
    const index = this.span ? page.spans.findIndex((span) => span.at === this.span.at) + by : 0;
    if (page.spans[index]) this.go(page.spans[index]);
    else if (index >= page.spans.length && page.end < this.view.data.total) this.view.goTo(page.end, true);
    else if (index < 0 && page.from > 0) this.view.goTo(page.from - 1, true);
  }

  go(span) {
    this.pinned = false;
    this.choose(span);
    this.reveal();
    this.revealValue();
  }

  /** The span in the line above or below. */
  line(by) {
    const now =
      this.span && this.view.elements.get(this.span.at)?.find((each) => each.getClientRects().length);
    let row = now?.closest(".ln,.hx,tr");
    if (!row) return this.step(by);
    const isPast = (at) => (by > 0 ? at > this.span.at : at < this.span.at);
    const next = () => (by > 0 ? row.nextElementSibling : row.previousElementSibling);
    for (row = next(); row; row = next()) {
      const at = $$("[data-s]", row)
        .map((each) => +each.dataset.s)
        .find(isPast);
      if (at !== undefined) return this.go(this.view.page.at(at));
    }
    this.step(by);
  }

  key(event) {
    const { page, side } = this.view;
    const value = event.key === "Tab" && !event.shiftKey ? $(".hot,.pin", side) : null;
    if (!this.view.shows) return;
    if (event.key === "ArrowRight") this.step(1);
    else if (event.key === "ArrowLeft") this.step(-1);
    else if (event.key === "ArrowDown") this.line(1);
    else if (event.key === "ArrowUp") this.line(-1);
    else if (event.key === "Home") this.go(page.spans[0]);
    else if (event.key === "End") this.go(page.spans.at(-1));
    else if (event.key === "Enter" && !event.target.closest("button,a")) this.togglePin();
    else if (value) value.focus();
    else return;
    event.preventDefault();
  }

  togglePin() {
    this.pinned = !this.pinned;
    this.mark();
    this.tell();
  }

  reveal() {
    const { pane, toOffset, elements } = this.view;
    if (!this.span) return;
    toOffset?.(this.span.at);
    const element = elements.get(this.span.at)?.[0];
    if (element) scrollInto(element, pane);
  }

  revealValue() {
    const node = $(".hot,.pin", this.view.side);
    if (node && this.view.side.scrollHeight > this.view.side.clientHeight + 4)
      scrollInto(node, this.view.side);
  }

  /** The status line. */
  tell() {
    const { status, data, shows } = this.view;
    if (!shows) return;
    const { span, path } = this;
    if (!span) {
      const words = path
        ? "is not written on the wire: the server made it, from the body or from several bytes."
        : HINT;
      return status.replaceChildren(path ? h("span.path", null, path) : "", h("span.rule", null, words));
    }
    const octets = [...this.view.bytesOf(span, MOST_OCTETS)].map(hex).join(" ");
    status.replaceChildren(
      h("span", { class: classOf(span.role) }, span.role),
      path ? h("span.path", null, path) : h("span.none", null, "not in the result"),
      h("span.num", null, `offset ${num(span.at)} `, h("small", null, `0x${span.at.toString(16)}`)),
      h("span.num", null, plural(span.length, "byte")),
      h("span.rule", null, ruleText(span, this.view)),
      h("span.hexs", { "aria-hidden": "true" }, octets + (span.length > MOST_OCTETS ? " …" : "")),
      this.pinned ? h("span.chip", null, "pinned") : "",
    );
  }
}

function ruleText(span, view) {
  const { data } = view;
  const at = stopSpan(data);
  const stopped = at != null && at >= span.at && at < span.end;
  const rule = stopped ? data.stop.rule : span.rule;
  const says = view.says(rule);
  if (stopped) return [h("span.stopcap", null, "▲ stopped here: "), h("b", null, rule ?? ""), " ", says];
  return rule ? [h("b", null, rule), " ", says] : whyNoRule(view, span);
}

/** The offset that shows where it stopped: the byte at fault, or the last one before it. */
export function stopSpan(data) {
  const { stop, total } = data;
  if (stop?.at == null) return null;
  return Math.max(0, Math.min(total - 1, stop.at - (stop.len ? 0 : 1)));
}

function parentOf(path) {
  return /^(.+?)(\.[A-Za-z_][A-Za-z0-9_]*|\[\d+\]|\["(?:[^"\\]|\\.)*"\])$/s.exec(path)?.[1] ?? "";
}

function scrollInto(element, pane) {
  const box = pane.getBoundingClientRect();
  const at = element.getBoundingClientRect();
  if (pane.scrollHeight <= pane.clientHeight + 4) element.scrollIntoView({ block: "nearest" });
  else if (at.top < box.top + 8 || at.bottom > box.bottom - 8)
    pane.scrollTop += at.top - box.top - box.height / 3;
}
