// The bytes as text: a line of the view for each line on the wire, with its offset and what it is.
import { $, h, hex, num, plural, sentence } from "./elements.js";
import { classOf, isContent, labelOf, layerOf } from "./roles.js";
import { whoNotedNothing, whyNoRule } from "./wire_unknown.js";
import { asAscii, isText, plain, written } from "./written.js";

const MOST_TEXT = 1024;
const MOST_BINARY = 64;
const MOST_READ_MARKS = 12;

/**
 * A span, or a part of it, as an element that can be chosen. A screen reader hears its text and what it is:
 * "POST, request line, offset 0, 4 bytes, method".
 */
export function spanElement(view, span, content, role = "option") {
  const element = h("span", { class: classOf(span.role), "data-s": span.at, role }, content);
  if (role === "option") {
    const path = span.path ? `, ${plain(span.path)}` : "";
    const what = `${span.role}, offset ${span.at}, ${plural(span.length, "byte")}${path}`;
    element.setAttribute("aria-label", `${element.textContent}, ${what}`);
    element.setAttribute("aria-selected", "false");
  }
  const known = view.elements.get(span.at);
  if (known) known.push(element);
  else view.elements.set(span.at, [element]);
  return element;
}

/** Why the body ends here, where it stopped, or what is still to come. */
export function endMark(view) {
  const { data } = view;
  const { stop, end, arriving, total } = data;
  const option = { role: "option", "aria-selected": "false" };
  const mark = (bad, at, head, ...text) =>
    h(
      `div.ended${bad ? ".bad" : ""}`,
      option,
      h("span.off", { "aria-hidden": "true" }, at),
      h("div.say", null, h("b", null, head), h("p", null, text)),
    );
  if (arriving) {
    const { received, expected } = arriving;
    const share = expected ? `↓ ${Math.floor((received / expected) * 100)} %` : `↓ ${num(received)} bytes`;
    return mark(
      false,
      String(total),
      `${share}. `,
      expected
        ? `${num(expected - received)} bytes to come`
        : "The body goes on; chunked coding does not say how long it is",
    );
  }
  if (stop)
    return mark(
      true,
      String(stop.at ?? ""),
      `▲ The parser stopped here. ${stop.title}. `,
      stopText(stop, total),
    );
  if (!end)
    return mark(true, String(total), "▲ The request was cut off here. ", "The client ended the connection.");
  const note =
    data.kind === "multipart"
      ? "The close delimiter ends the form, not the body: only the framing does. "
      : "";
  const what = total > data.head ? "■ The body ends here. " : "■ The request ends here. ";
  return mark(
    false,
    String(total),
    what,
    sentence(end.text),
    " ",
    note,
    h("b", null, end.rule ?? ""),
    ` (${end.ref})`,
  );
}

function stopText(stop, total) {
  const rest = stop.at == null ? 0 : total - stop.at - stop.len;
  return [
    written(new TextEncoder().encode(sentence(stop.detail))),
    " ",
    h("b", null, stop.rule ?? ""),
    ` (${stop.reference}). `,
    stop.at == null
      ? "No single byte is at fault."
      : rest > 0
        ? `${plural(rest, "byte")} behind it.`
        : "Nothing came behind it.",
  ];
}

class Lines {
  constructor(view) {
    this.view = view;
    this.box = h("div.lines", {
      role: "listbox",
      tabindex: 0,
      "aria-label": "The bytes of the request; arrow keys go from span to span",
    });
    this.columns = matchMedia("(max-width: 860px)").matches ? 8 : 16;
    this.label = null;
    this.part = -1;
    this.by = null;
    this.shown = 0;
    this.run = null;
  }

  /** A new line, with a label if it is the first of its kind. */
  line(offset, span) {
    const name = labelOf(span.role);
    const layer = layerOf(span.role);
    const label = `${name} ${layer === "form" || name === "part data" ? this.part : ""}`;
    const isFirst = label !== this.label;
    this.label = label;
    this.layer = layer;
    this.name = name;
    this.by = h("div.by", { role: "none" });
    const gap = span.role === "delimiter" && this.part > 0 ? ".gap" : "";
    this.box.append(
      h(
        `div.ln.${layer}${isFirst ? "" : ".nolab"}${gap}`,
        { role: "none", "data-at": offset },
        h("span.off", { "aria-hidden": "true" }, String(offset)),
        h("span.lab", { "aria-hidden": "true" }, isFirst ? name : ""),
        this.by,
      ),
    );
  }

  end() {
    this.by = null;
  }

  put(node) {
    this.box.append(node);
    this.end();
    this.label = null;
  }

  more(text) {
    const go = () => this.view.show("hex", this.view.run?.backend);
    this.by.append(h("span.more", { role: "option", "aria-selected": "false", onclick: go }, text));
    this.end();
  }

  add(span) {
    if (span.role === "delimiter") this.part++;
    const data = this.view.bytesOf(span);
    const content = isContent(span.role);
    if (!data.length) return this.unkept(span);
    const run = `${span.path} ${span.role} ${this.part}`;
    if (content && run !== this.run) this.shown = 0;
    if (content) this.run = run;
    if (content && !isText(data)) this.binary(span, data);
    else this.text(span, data, content ? Math.max(0, MOST_TEXT - this.shown) : Infinity);
    if (data.length < span.length && this.by)
      this.more(`… ${num(span.length - data.length)} more bytes, not kept`);
  }

  binary(span, data) {
    const most = Math.max(0, Math.min(data.length, MOST_BINARY - this.shown));
    if (!most && this.shown) return this.skip(span);
    this.line(span.at, span);
    for (let at = 0; at < most; at += this.columns) {
      const row = data.subarray(at, Math.min(at + this.columns, most));
      const octets = [...row]
        .map(hex)
        .join(" ")
        .padEnd(this.columns * 3 - 1);
      const element = spanElement(this.view, span, `${octets}  ${asAscii(row)}`);
      element.classList.add("hexrow");
      this.by.append(element);
    }
    this.shown += most;
    if (data.length > most) this.more(`… ${num(span.length - most)} more bytes`);
    else this.end();
  }

  text(span, data, most) {
    const limit = Math.min(data.length, most);
    if (!limit) return this.skip(span);
    for (let at = 0; at < limit;) {
      const apart =
        this.layer !== layerOf(span.role) || (isContent(span.role) && this.name !== labelOf(span.role));
      if (!this.by || apart) this.line(span.at + at, span);
      const isDelimiter = span.role.includes("delimiter") && at === 0 && data[0] === 13;
      const newline = data.indexOf(10, isDelimiter ? 2 : at);
      const to = newline < 0 || newline >= limit ? limit : newline + 1;
      this.by.append(spanElement(this.view, span, written(data.subarray(at, to))));
      if (newline >= 0 && newline < limit) this.end();
      at = to;
    }
    this.shown += limit;
    if (data.length > limit) {
      if (!this.by) this.line(span.at + limit, span);
      this.more(`… ${num(span.length - limit)} more bytes`);
    }
  }

  /** Content behind what is shown of its run. */
  skip(span) {
    this.end();
    return span;
  }

  unkept(span) {
    const last = this.box.lastElementChild;
    const who = whoNotedNothing(this.view, span);
    if (last?.matches(".unkept") && !who) {
      last.bytes += span.length;
    } else {
      this.put(
        h(
          "div.unkept",
          { role: "none", "data-at": span.at },
          h("span.off", { "aria-hidden": "true" }, String(span.at)),
          h("span.note"),
        ),
      );
      this.box.lastElementChild.bytes = span.length;
    }
    const many = num(this.box.lastElementChild.bytes);
    $(".note", this.box.lastElementChild).textContent = who
      ? `… ${many} more bytes. ${whyNoRule(this.view, span)}`
      : `… ${many} bytes that are not kept`;
  }
}

/** One page of spans as text. */
export function textBytes(view) {
  const { data, page } = view;
  const lines = new Lines(view);
  const { stop } = data;
  const reads = (data.reads ?? []).slice(1, MOST_READ_MARKS + 1);
  let isMarked = page.from > 0 && stop?.at != null && stop.at < page.from;
  let read = 0;
  if (page.from > 0) lines.put(turn(view, "← The bytes from the beginning", 0));
  for (const span of page.spans) {
    if (stop?.at != null && !isMarked && span.at >= stop.at + stop.len && span.at > 0) {
      lines.put(endMark(view));
      isMarked = true;
    }
    while (data.reads?.length <= MOST_READ_MARKS && read < reads.length && reads[read] <= span.at) {
      read++;
      if (reads[read - 1] >= page.from)
        lines.put(
          h("div.readmark", { "aria-hidden": "true" }, h("span"), h("span", null, `read ${read + 1}`)),
        );
    }
    lines.add(span);
  }
  if (page.end < data.total) lines.put(turn(view, `The bytes from ${num(page.end)} on →`, page.end));
  else if (!isMarked) lines.put(endMark(view));
  return lines.box;
}

/** A line that leads to another page of spans. */
export function turn(view, text, offset) {
  return h(
    "div.turn",
    { role: "option", "aria-selected": "false", onclick: () => view.goTo(offset, true) },
    text,
  );
}
