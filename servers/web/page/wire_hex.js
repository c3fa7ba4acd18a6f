// The kept bytes as hex: rows of a fixed height, of which only those in sight are in the document.
import { h, hex, num, spacer } from "./elements.js";
import { classOf, labelOf } from "./roles.js";
import { endMark, spanElement } from "./wire_text.js";

const ROW = 22;
const OVER = 12;

const visible = (byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·");

function rowOf(view, page, offset, columns, total) {
  const end = Math.min(offset + columns, total);
  const octets = h("span.oct", { role: "none" });
  const ascii = h("span.asc", { "aria-hidden": "true" });
  const begun = [];
  for (let at = offset; at < end;) {
    const span = page.at(at);
    const to = Math.min(end, Math.max(span.end, at + 1));
    const data = [...view.data.kept.subarray(at, to)];
    octets.append(spanElement(view, span, data.map(hex).join(" ")), to < offset + columns ? " " : "");
    const twin = h("span", { class: classOf(span.role), "data-s": span.at }, data.map(visible).join(""));
    view.elements.get(span.at).push(twin);
    ascii.append(twin);
    if (span.at >= offset && begun.at(-1) !== labelOf(span.role)) begun.push(labelOf(span.role));
    at = to;
  }
  const missing = columns - (end - offset);
  if (missing) octets.append(" ".repeat(missing * 3 - 1));
  return h(
    "div.hx",
    { role: "none", "data-at": offset },
    h("span.off", { "aria-hidden": "true" }, offset.toString(16).padStart(6, "0")),
    octets,
    ascii,
    h("span.mean", { "aria-hidden": "true" }, begun.join(" · ")),
  );
}

/** Where the rows scroll: in their pane, or with the page on a small screen. */
function scrolled(pane) {
  const inPane = pane.scrollHeight > pane.clientHeight + 4;
  const box = pane.getBoundingClientRect();
  return inPane
    ? { from: pane.scrollTop, height: pane.clientHeight, inPane }
    : { from: Math.max(0, -box.top), height: innerHeight, inPane };
}

/** The kept bytes in hex. The page of spans that the rows in sight need is loaded when they come into sight. */
export function hexBytes(view) {
  const { data, pane } = view;
  const columns = matchMedia("(max-width: 860px)").matches ? 8 : 16;
  const total = data.kept.length;
  const count = Math.ceil(total / columns);
  const [top, bottom] = [spacer(), spacer()];
  const rows = h("div", { role: "none" });
  let first = -1;
  const draw = () => {
    if (!rows.isConnected) return;
    const { from, height } = scrolled(pane);
    const start = Math.max(0, Math.min(count - 1, Math.floor(from / ROW) - OVER));
    if (start === first) return;
    first = start;
    const end = Math.min(count, start + Math.ceil(height / ROW) + 2 * OVER);
    top.setAttribute("height", start * ROW);
    bottom.setAttribute("height", Math.max(0, count - end) * ROW);
    fill(start, end);
  };
  const fill = async (start, end) => {
    const [low, high] = [start * columns, Math.min(total, end * columns)];
    if (!view.page.holds(low) || !view.page.holds(high - 1)) {
      const page = await view.spans.page(low);
      if (first !== start || view.mode !== "hex") return;
      view.page = page;
    }
    view.elements.clear();
    rows.replaceChildren(
      ...Array.from({ length: end - start }, (_, index) =>
        rowOf(view, view.page, (start + index) * columns, columns, total),
      ),
    );
    view.selection.mark();
  };
  view.redraw = () => {
    first = -1;
    draw();
  };
  view.toOffset = (offset) => {
    const y = Math.floor(offset / columns) * ROW;
    const { from, height, inPane } = scrolled(pane);
    if (inPane && (y < from || y > from + height - 2 * ROW)) pane.scrollTop = Math.max(0, y - height / 3);
    draw();
  };
  pane.addEventListener("scroll", draw, { passive: true });
  addEventListener("scroll", draw, { passive: true, signal: view.abort.signal });
  requestAnimationFrame(view.redraw);
  const rest = data.total - total;
  const note =
    rest > 0
      ? h(
          "div.ended",
          { role: "option", "aria-selected": "false" },
          h("span.off"),
          h(
            "div.say",
            null,
            h("b", null, `${num(rest)} more bytes are not kept. `),
            h("p", null, "The history holds the head, the beginning of each body and its last bytes."),
          ),
        )
      : endMark(view);
  return h(
    "div.lines.hexed",
    { role: "listbox", tabindex: 0, "aria-label": "The bytes in hex; arrow keys go from span to span" },
    top,
    rows,
    bottom,
    note,
  );
}
