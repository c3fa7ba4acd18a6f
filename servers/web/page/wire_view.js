// The wire view: the bytes of one request, each explained, beside what the server read.
//
// It is one component. It gets plain data, the spans by pages, and a node; it fetches nothing and knows no URL.
// The page gives it pages of spans from the server, a report gives it spans that it has already.
import { $, $$, choice, h, num, press } from "./elements.js";
import { GROUPS, classOf } from "./roles.js";
import { minimap } from "./strip.js";
import { Selection } from "./wire_selection.js";
import { captionOf, sentenceOf, titleOf } from "./wire_head.js";
import { hexBytes } from "./wire_hex.js";
import { listBytes } from "./wire_list.js";
import { resultOf } from "./wire_result.js";
import { textBytes } from "./wire_text.js";
import { hiddenWire } from "./wire_hidden.js";

const MODES = [
  ["text", "Text"],
  ["hex", "Hex"],
  ["list", "List"],
];
const BYTES = { text: textBytes, hex: hexBytes, list: listBytes };
const SHORT = 0.8;
const wide = matchMedia("(min-width: 861px)");

export class WireView {
  /**
   * `data` is a request as `/requests/{id}` gives it, with its bytes as Uint8Array in `kept` and `tail`. `spans` are
   * SpanPages. `options`: mode, backend, rules (texts by their ids), path (the value that is chosen at first),
   * heading (the tag of the title), lead and actions (nodes for the title), onShow(mode, backend).
   */
  constructor(node, data, spans, options = {}) {
    this.node = node;
    this.options = options;
    this.mode = BYTES[options.mode] ? options.mode : "text";
    this.selection = new Selection(this);
    this.page = null;
    this.half = "bytes";
    this.abort = new AbortController();
    this.take(data, spans);
    this.run =
      data.runs.find((run) => run.backend === options.backend) ??
      data.runs.find((run) => run.wire) ??
      data.runs[0];
    wide.addEventListener("change", () => this.draw(), { signal: this.abort.signal });
  }

  take(data, spans) {
    this.data = data;
    this.spans = spans;
    this.seesWire = data.total > 0 && data.strip.length > 0;
  }

  /** Draw it for the first time, with the part of the bytes that matters most in sight. */
  async start() {
    await this.draw();
    if (this.shows) await this.selection.begin();
  }

  /** Show newer data of the same request: a body that arrives, another run, an answer. */
  async update(data, spans) {
    const backend = this.run?.backend;
    const place = this.pane?.scrollTop ?? 0;
    this.take(data, spans);
    this.run =
      data.runs.find((run) => run.backend === backend) ?? data.runs.find((run) => run.wire) ?? data.runs[0];
    this.page = null;
    await this.draw();
    this.pane.scrollTop = place;
  }

  close() {
    this.abort.abort();
    this.node.replaceChildren();
  }

  /** What a rule says; empty if its text is not known. */
  says(rule) {
    return this.options.rules?.[rule] ?? "";
  }

  /** Whether the bytes are shown, and not what a backend was given that cannot see them. */
  get shows() {
    return this.seesWire && (this.run === undefined || this.run.wire);
  }

  /** The bytes of a span that are kept; empty if none is. */
  bytesOf(span, most = Infinity) {
    const { kept, tail, total } = this.data;
    const end = Math.min(span.end, span.at + most);
    if (span.at < kept.length) return kept.subarray(span.at, Math.min(end, kept.length));
    const from = total - tail.length;
    return span.at >= from ? tail.subarray(span.at - from, end - from) : kept.subarray(0, 0);
  }

  async draw() {
    if (this.shows && !this.page) this.page = await this.spans.page(0);
    if (this.abort.signal.aborted) return;
    const { data, run } = this;
    this.map = minimap(data, (offset) => this.goTo(offset, true));
    this.pane = h("div.pane.bytes", { tabindex: this.shows ? null : 0 });
    this.side = h("section.pane.tree", { "aria-label": "Result", tabindex: -1 });
    this.status = h("div.status", { role: "group", "aria-label": "The chosen bytes" });
    this.legend = this.shows ? this.drawLegend() : null;
    this.halves = this.drawHalves();
    this.body = h(`div.w-body.show-${this.half}`, null, this.pane, this.side);
    this.root = h(
      `div.wire${this.shows ? "" : ".blind"}`,
      null,
      h("div.w-top", null, titleOf(this), sentenceOf(this)),
      this.shows ? h("div.w-map", null, h("div.map", null, this.map.svg), captionOf(this)) : null,
      this.halves,
      this.legend,
      this.body,
      this.shows ? this.status : null,
    );
    this.node.replaceChildren(this.root);
    resultOf(this, this.side);
    if (!$("[tabindex='0']", this.side)) this.side.tabIndex = 0; // what scrolls can be reached by the keyboard
    this.drawBytes();
    this.selection.listen(run);
  }

  /** Fill the pane of bytes. A short text leaves room: the list of its spans stands behind it then. */
  drawBytes() {
    this.elements = new Map();
    this.redraw = null;
    this.toOffset = null;
    this.pane.className = `pane bytes as-${this.mode}`;
    if (!this.shows) return this.pane.replaceChildren(hiddenWire(this));
    this.pane.replaceChildren(BYTES[this.mode](this));
    if (this.mode === "text" && wide.matches) {
      const room = this.pane.clientHeight;
      if (room && this.pane.firstChild.scrollHeight < room * SHORT) {
        this.pane.classList.add("with-list");
        this.pane.append(listBytes(this, { beside: true }));
      }
    }
    this.selection.mark();
    this.pane.onscroll = () => this.showPort();
    requestAnimationFrame(() => this.showPort());
  }

  drawLegend() {
    const counts = new Map();
    for (const [, length, role] of this.data.strip) counts.set(role, (counts.get(role) ?? 0) + length);
    const buttons = GROUPS.map(([name, , roles, sample]) => {
      const n = roles.reduce((sum, role) => sum + (counts.get(role) ?? 0), 0);
      if (!n) return null;
      const toggle = (event) => {
        const on = event.currentTarget.getAttribute("aria-pressed") !== "true";
        for (const button of $$("button.key", legend))
          button.setAttribute("aria-pressed", String(on && button === event.currentTarget));
        this.selection.only(on ? new Set(roles) : null);
      };
      return h(
        "button.key",
        { type: "button", "aria-pressed": "false", onclick: toggle },
        h("span", { class: classOf(roles[0]), "aria-hidden": "true" }, sample),
        name,
        h("small", null, num(n)),
      );
    });
    this.modes = choice("Show bytes as", MODES, this.mode, (mode) => this.show(mode, this.run?.backend));
    const legend = h(
      "div.legend",
      { role: "group", "aria-label": "Meanings: press one to dim the others" },
      buttons,
      h("span.grow"),
      this.modes,
    );
    return legend;
  }

  drawHalves() {
    const options = [...(this.shows ? MODES : [["text", "What Flask saw"]]), ["result", "Result"]];
    const now = this.half === "tree" ? "result" : this.shows ? this.mode : "text";
    const group = choice("Show", options, now, (key) => {
      if (key === "result") return this.showHalf("tree");
      this.showHalf("bytes");
      if (this.shows) this.show(key, this.run?.backend);
    });
    return h("div.half-tabs", null, group);
  }

  showHalf(half) {
    this.half = half;
    this.body.className = `w-body show-${half}`;
    press($(".seg", this.halves), half === "tree" ? "result" : this.shows ? this.mode : "text");
    if (half === "bytes") this.redraw?.();
  }

  /** Another way to show the bytes, or another backend. */
  show(mode, backend) {
    const run = this.data.runs.find((each) => each.backend === backend) ?? this.run;
    const isSame = run === this.run;
    if (isSame && mode === this.mode) return;
    this.mode = mode;
    this.run = run;
    this.options.onShow?.(mode, run?.backend);
    if (!isSame) return void this.draw();
    this.half = "bytes";
    this.showHalf("bytes");
    press(this.modes, mode);
    this.drawBytes();
    this.selection.reveal();
  }

  /** The page of spans with this offset; drawn if it is another one. */
  async goTo(offset, select = false) {
    const at = Math.max(0, Math.min(offset, this.data.total - 1));
    if (!this.page.holds(at)) {
      this.page = await this.spans.page(at);
      this.drawBytes();
      this.pane.scrollTop = 0;
    }
    if (!select) return;
    this.selection.choose(this.page.at(at));
    this.selection.reveal();
  }

  showPort() {
    const rows = $$(".ln, .hx", this.pane);
    const box = this.pane.getBoundingClientRect();
    const seen = rows.filter((row) => {
      const at = row.getBoundingClientRect();
      return at.bottom > Math.max(0, box.top) && at.top < Math.min(innerHeight, box.bottom);
    });
    if (!seen.length) return;
    const next = rows[rows.indexOf(seen.at(-1)) + 1];
    this.map.show(+seen[0].dataset.at, next ? +next.dataset.at : this.page.end);
  }
}
