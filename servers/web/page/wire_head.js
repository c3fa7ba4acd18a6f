// The head of the wire view: the title, the sentence and the caption of the strip.
import { bytes, choice, h, ms, num, plural, sentence } from "./elements.js";
import { safe } from "./written.js";

/** The title: the request, how it ended, the servers, and what can be done with it. */
export function titleOf(view) {
  const { data, run, options } = view;
  const bad = run?.status >= 400;
  const status = data.arriving
    ? h("span.chip", null, "↓ arriving")
    : h(
        `span.chip${bad ? ".bad" : ""}`,
        null,
        `${bad ? "▲ " : ""}${run?.status ?? "no answer"}`,
        run?.code ? h("code", null, run.code) : null,
      );
  return h(
    "div.w-title",
    null,
    options.lead,
    h(options.heading ?? "h1", { class: "w-name" }, data.method ?? "", " ", safe(data.target ?? "a request without a target")),
    h(
      "span.chips",
      null,
      status,
      data.kind && h("span.chip", null, `${data.kind} · ${bytes(data.size)}`),
      agreementChip(data),
    ),
    h("span.grow"),
    data.runs.length > 0 &&
      choice(
        "Server",
        data.runs.map((each) => [each.backend, each.backend, each.ms == null ? null : ms(each.ms)]),
        run?.backend,
        (backend) => view.show(view.mode, backend),
        ".runs",
      ),
    options.actions,
  );
}

/** One true sentence: why the request is complete, or why it is not. */
export function sentenceOf(view) {
  const { data, run } = view;
  const mark = (bad) =>
    h(
      "svg.sq",
      { viewBox: "0 0 10 10", "aria-hidden": "true" },
      h("path", { d: bad ? "M5 0 10 10H0z" : "M0 0h10v10H0z" }),
    );
  const line = (bad, head, text, reference) =>
    h(
      `p.why${bad ? ".bad" : ""}`,
      null,
      mark(bad),
      h("b", null, head),
      " ",
      h("span", null, safe(text)),
      " ",
      h("span.ref", null, reference),
    );
  if (data.arriving) {
    const { received, expected, rate } = data.arriving;
    const share = expected
      ? `${Math.floor((received / expected) * 100)} % of the body is here`
      : `${bytes(received)} of the body are here`;
    return line(
      false,
      share,
      expected ? `${bytes(expected - received)} to come, ${bytes(rate)}/s.` : `${bytes(rate)}/s.`,
      "",
    );
  }
  if (!view.shows) {
    if (run?.status >= 400)
      return line(
        true,
        `Refused with ${run.code ?? run.status}`,
        sentence(run.detail ?? ""),
        `where on the wire, ${run.backend} cannot say`,
      );
    return line(
      false,
      `${num(data.size ?? 0)} bytes of body reached Flask`,
      data.chunked
        ? "The chunked coding was taken off before."
        : `How they were framed stays with ${run?.backend ?? "the server"}.`,
      "",
    );
  }
  const { stop, end } = data;
  const reference = (x) => [x.rule, x.reference ?? x.ref].filter(Boolean).join(" · ");
  if (stop)
    return line(
      true,
      stop.at == null ? "Refused as a whole" : `Stopped at byte ${num(stop.at)} of ${num(data.total)}`,
      sentence(stop.detail),
      reference(stop),
    );
  if (end) return line(false, `Complete at byte ${num(data.total)}`, sentence(end.text), reference(end));
  return line(
    true,
    `Cut off at byte ${num(data.total)}`,
    "The client ended the connection before the request was complete.",
    "",
  );
}

/** What stands below the strip. */
export function captionOf(view) {
  const { data, map } = view;
  const reads = data.reads?.length ?? 0;
  return h(
    "div.map-cap",
    null,
    h("span", null, data.head ? `Head ${num(data.head)} bytes` : "The head is not complete"),
    h(
      "span.mid",
      null,
      map.scale.toScale ? "To scale" : "Widths by root of length",
      reads ? `, ${reads > 1 ? plural(reads, "read") : "one read"}` : "",
    ),
    h(
      "span",
      null,
      !data.head
        ? ""
        : data.total > data.head
          ? `Body ${num(data.total - data.head)} bytes on the wire`
          : "No body",
    ),
  );
}

function agreementChip(data) {
  if (data.agreement === undefined) return null; // in a report the answers are judged elsewhere
  const names = data.runs.map((run) => run.backend);
  if (data.runs.length < 2)
    return data.runs.length && !data.arriving ? h("span.chip.few", null, `only ${names[0]}`) : null;
  if (data.agreement === "different") return h("span.chip.bad", null, "≠ they differ");
  if (data.agreement !== "equal") return null;
  return h(
    "span.chip",
    null,
    data.runs.every((run) => run.status >= 400) ? "= same refusal" : "= equal answers",
  );
}
