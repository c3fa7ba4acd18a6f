// The looks of the list: a row, its figures, the sentence above the list, and what stands there when it is empty.
import { address } from "./api.js";
import { bytes, clock, h, ms, num, plural, seconds } from "./elements.js";
import { smallStrip } from "./strip.js";
import { plain, safe } from "./written.js";

function statusOf(row) {
  const glyph = (text) => h("span.glyph", { "aria-hidden": "true" }, text);
  const { arriving } = row;
  if (arriving) {
    const share = arriving.expected
      ? `${Math.floor((arriving.received / arriving.expected) * 100)} %`
      : bytes(arriving.received);
    return h("span.st", null, glyph("↓"), share, h("code", null, "arriving"));
  }
  const run = row.runs[0];
  if (run?.status == null) return h("span.st.bad", null, glyph("▲"), "–", h("code", null, "cut off"));
  const bad = run.status >= 400;
  return h(
    `span.st${bad ? ".bad" : ""}`,
    null,
    glyph(bad ? "▲" : ""),
    String(run.status),
    bad ? h("code", null, run.code ?? "") : h("span.hidden", null, "accepted"),
  );
}

function restOf({ received, expected, rate }) {
  if (!expected) return "";
  const left = rate ? `${seconds((expected - received) / rate)} left of ` : "of ";
  return left + bytes(expected);
}

/** Which servers read it, how long they took, and whether they agree. */
export function pair(runs, agreement, arriving) {
  const [a, b] = runs;
  if (!a)
    return h(
      "span.pair",
      null,
      h("span", null, arriving ? `${bytes(arriving.rate)}/s` : "–"),
      h("span"),
      h("span.word", null, arriving ? restOf(arriving) : ""),
    );
  const differ = agreement === "different";
  const [kind, sign, word] = !b
    ? ["one", "·", "one server only"]
    : differ
      ? ["ne", "≠", "differ"]
      : agreement === "equal"
        ? ["equal", "=", "equal"]
        : ["one", "?", "not compared"];
  const one = (run) =>
    h("span", null, run.backend, " ", h("span.ms", null, run.status == null ? "no answer" : ms(run.ms)));
  return h(
    "span.pair",
    null,
    one(a),
    h(`span.eq.${kind}`, { role: "img", "aria-label": word }, sign),
    b
      ? h("span", null, one(b), differ ? h("span.word.ne", null, " differ") : "")
      : h("span.word", null, "one server only"),
  );
}

/** A row of the list; null for one that is on its way. */
export function rowOf(row, index, fresh) {
  const cell = (names, ...content) => h(`td.${names}`, { role: "cell" }, content);
  if (!row)
    return h(
      "tr.blank",
      { role: "row", "aria-rowindex": index + 2 },
      cell("d-st", ""),
      cell("d-req", h("span.quiet", null, "…")),
    );
  const link = h(
    "a",
    { href: `#/wire/${row.id}`, title: plain(row.target), "data-id": row.id },
    row.target === null ? "–" : safe(row.target),
  );
  const open = (event) => {
    if (!event.target.closest("a") && !String(getSelection())) location.hash = `#/wire/${row.id}`;
  };
  return h(
    `tr${fresh ? ".fresh" : ""}${row.arriving ? ".arriving" : ""}`,
    { role: "row", "aria-rowindex": index + 2, onclick: open },
    cell("d-st", statusOf(row)),
    cell(
      "d-req",
      h(
        "div.req",
        null,
        h("span.m", null, row.method ?? "–"),
        link,
        h("span.agent", { title: plain(row.agent) }, safe(row.agent ?? "")),
      ),
    ),
    cell("d-strip", smallStrip(row)),
    cell("d-kind", row.kind ?? "–"),
    h(
      "td.n.d-size",
      { role: "cell", "data-kind": row.kind ?? "" },
      bytes(row.arriving ? row.arriving.received : row.size),
    ),
    cell("d-be", pair(row.runs, row.agreement, row.arriving)),
    cell("n.d-time", clock(row.at)),
  );
}

/** Give a row the cells of a newer one. The link stays. */
export function renew(element, newer) {
  element.className = newer.className.replace("fresh", "");
  for (const [index, cell] of [...newer.children].entries()) {
    if (!cell.matches(".d-req")) element.children[index].replaceWith(cell);
  }
}

/** The list in one true sentence. */
export function ledeOf(total, counts) {
  if (!total) return ["No request yet. ", h("span.soft", null, "This page shows each one as it arrives.")];
  const { equal, different, one, refused } = counts;
  const said = [];
  if (equal || different)
    said.push([
      "The servers read ",
      num(equal),
      " alike",
      different ? [", and ", h("em", null, `${num(different)} not`)] : "",
    ]);
  said.push([num(refused), " refused"]);
  if (one) said.push([num(one), " reached one server only"]);
  const words = said.flatMap((part, index) => [index ? "; " : "", ...part]).flat();
  return [`${plural(total, "request")}. `, h("span.soft", null, words, ".")];
}

/** What stands in place of an empty list. */
export function emptyList() {
  return h(
    "div.empty",
    null,
    h("h2", null, "Send something, here or from a shell"),
    h("p", null, "What reaches a server appears within a second, byte for byte."),
    h("pre", null, `curl -F a=123 -F file=@a.txt ${address()}/upload/`),
    h("p.act", null, h("a.btn.primary", { href: "#/send" }, "Send an upload")),
  );
}
