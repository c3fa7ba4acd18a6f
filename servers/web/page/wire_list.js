// The spans as a plain table: for screen readers first, useful to all. It stands behind a short text, too.
import { h, hex, num } from "./elements.js";
import { spanElement } from "./wire_text.js";
import { whyNoRule } from "./wire_unknown.js";
import { isText, safe, written } from "./written.js";

const MOST_BYTES = 48;
const MOST_OCTETS = 12;
const COLUMNS = ["Offset", "Bytes", "What", "Value in the result", "Bytes as text", "Rule"];

function shownBytes(view, span) {
  const data = view.bytesOf(span, MOST_BYTES);
  if (!data.length) return h("span.quiet", null, "not kept");
  const more = span.length > data.length ? "…" : "";
  return isText(data)
    ? [written(data), more]
    : [[...data.subarray(0, MOST_OCTETS)].map(hex).join(" "), span.length > MOST_OCTETS ? " …" : ""];
}

function rowOf(view, span) {
  const cell = (tag, ...content) => h(tag, { role: "cell" }, content);
  return h(
    "tr",
    { role: "row", "data-s": span.at },
    cell("td.n", String(span.at)),
    cell("td.n", num(span.length)),
    cell("td.w", spanElement(view, span, span.role, null)),
    cell("td.mono", safe(span.path)),
    cell("td.mono", shownBytes(view, span)),
    cell("td.rl", h("b", null, span.rule), " ", span.rule ? view.says(span.rule) : whyNoRule(view, span)),
  );
}

/** One page of spans as a table; with `beside` it stands behind the text of the same bytes. */
export function listBytes(view, { beside = false } = {}) {
  const { page, data } = view;
  const head = h(
    "tr",
    { role: "row" },
    COLUMNS.map((name) => h("th", { role: "columnheader", scope: "col" }, name)),
  );
  const table = h(
    "table.spans",
    { role: "table", "aria-label": "Every span of the request, in order" },
    h("thead", { role: "rowgroup" }, head),
    h(
      "tbody",
      { role: "rowgroup" },
      page.spans.map((span) => rowOf(view, span)),
    ),
  );
  const link = (text, offset) =>
    h("button.more.turn", { type: "button", onclick: () => view.goTo(offset, true) }, text);
  return h(
    "section.listed",
    beside
      ? { "aria-label": "The same bytes as a list" }
      : { tabindex: 0, "aria-label": "The bytes as a list; arrow keys go from span to span" },
    beside ? h("h2", null, "Every byte has a reason") : null,
    page.from > 0 && !beside ? link("← The spans from the beginning", 0) : null,
    table,
    page.end < data.total && !beside ? link(`The spans from ${num(page.end)} on →`, page.end) : null,
  );
}
