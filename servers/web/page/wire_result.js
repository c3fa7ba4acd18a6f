// The right side of the wire view: where readings differ, what the server answered, and the rules behind it.
import { bytes, h, ms, num, plural, rect } from "./elements.js";
import { tree } from "./tree.js";
import { safe } from "./written.js";

const MOST_RULES = 9;
const MOST_MET = 24;
const MOST_EVENTS = 14;
const SHORT_ANSWER = 1500;
const STREAMING_MS = 20;

/** A value of the difference box in a few words. */
function short(value) {
  const one = (each) => {
    if (each?.filename !== undefined) return `a file ${JSON.stringify(each.name)}, ${bytes(each.size)}`;
    if (each?.value !== undefined)
      return `a field ${JSON.stringify(each.name)} = ${JSON.stringify(each.value)}`;
    return JSON.stringify(each);
  };
  if (value === null || value === undefined) return "null";
  if (!Array.isArray(value)) return JSON.stringify(value);
  return value.length ? value.map(one).join("; ") : "nothing";
}

/** Where two readings differ: the path, and what each server says. */
export function differenceBox(diffs, names) {
  const entry = ([path, a, b]) =>
    h(
      "dl",
      null,
      h("div.at", null, h("dt.path", { "data-path": path }, safe(path))),
      [a, b].map((value, index) =>
        h("div", null, h("dt", null, names[index] ?? ""), h("dd", null, safe(short(value)))),
      ),
    );
  return h(
    "section.diff",
    { "aria-label": "Differences" },
    h("h3", null, `≠ The readings differ in ${plural(diffs.length, "place")}`),
    diffs.map(entry),
  );
}

function events(run) {
  const list = run.answer.split(/\n\n/).filter(Boolean);
  const times = run.events ?? [];
  const gaps = times
    .slice(1)
    .map((time, index) => time - times[index])
    .sort((a, b) => a - b);
  const middle = gaps[gaps.length >> 1];
  const end = times.at(-1) || 1;
  const axis = h(
    "svg.beat",
    {
      viewBox: "0 0 1000 20",
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": `${times.length} pieces in ${Math.round(end)} ms`,
    },
    rect("axis", 0, 17, 1000, 1),
    times.map((time) => rect("ev", (time / end) * 996, 3, 4, 14)),
  );
  const words =
    middle > STREAMING_MS
      ? `Real streaming: an event every ${Math.round(middle)} ms.`
      : `The events came within ${Math.round(end)} ms.`;
  return [
    h("h2", null, `What ${run.backend} streamed`, h("small", null, plural(list.length, "event"))),
    times.length > 2 ? [axis, h("p.quiet", null, words)] : null,
    h(
      "div.events",
      null,
      list
        .slice(0, MOST_EVENTS)
        .map((event, index) => [
          h("span.ms", null, times[index] == null ? "" : ms(times[index])),
          h("span", null, safe(event.replace(/\n/g, "  ").slice(0, 120))),
        ]),
    ),
    list.length > MOST_EVENTS ? h("p.quiet", null, `and ${num(list.length - MOST_EVENTS)} more`) : null,
  ];
}

function parsed(text) {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

/** What a run answered: a tree, a stream, or text. */
export function answerOf(run, runs = []) {
  const text =
    run.answer ?? runs.find((other) => other.sha256 === run.sha256 && other.answer)?.answer ?? null;
  const isRefused = run.status >= 400;
  const facts = [bytes(run.answer_size ?? text?.length), run.sha256 ? `sha256 ${run.sha256.slice(0, 8)}` : ""]
    .filter(Boolean)
    .join(" · ");
  const head = h(
    "h2",
    null,
    isRefused ? `How ${run.backend} refused` : `What ${run.backend} read`,
    h("small", null, facts),
  );
  if (run.error) return [head, h("p.quiet", null, safe(run.error))];
  if (text === null)
    return [head, h("p.quiet", null, run.status == null ? "No answer yet." : "The answer was not kept.")];
  if (run.content_type?.includes("event-stream")) return events({ ...run, answer: text });
  const found = parsed(text);
  if (found)
    return [
      head,
      tree(found.value, `What ${run.backend} answered`, { openHeaders: text.length < SHORT_ANSWER }),
    ];
  const cut =
    run.answer_size > text.length
      ? h("p.quiet", null, `The first ${bytes(text.length)} of ${bytes(run.answer_size)}.`)
      : null;
  return [head, h("pre.code", { tabindex: 0 }, safe(text)), cut];
}

function rulesBehind(view) {
  const { stop } = view.data;
  const ids = [...new Set([stop.rule, ...stop.rules])].filter(Boolean);
  const line = (id) => {
    const decided = id === stop.rule;
    return [
      h(`dt${decided ? ".hit" : ""}`, null, id),
      h("dd", null, view.says(id), decided ? h("small", null, "this one decided") : null),
    ];
  };
  const more = ids.length - MOST_RULES;
  return h(
    "section.rules",
    null,
    h("h2", null, "The rules behind it", h("small", null, stop.reference)),
    h("dl", null, ids.slice(0, MOST_RULES).flatMap(line)),
    more > 0 ? h("p.quiet", null, `and ${more} more of ${stop.code}`) : null,
  );
}

/** The rules that these spans met, in their order. */
function rulesMet(view) {
  const met = [...new Set(view.page.spans.map((span) => span.rule).filter(Boolean))];
  if (!met.length) return null;
  return h(
    "section.rules",
    null,
    h("h2", null, "The rules it met", h("small", null, plural(met.length, "rule"))),
    h(
      "dl",
      null,
      met.slice(0, MOST_MET).flatMap((id) => [h("dt", null, id), h("dd", null, view.says(id))]),
    ),
    met.length > MOST_MET ? h("p.quiet", null, `and ${met.length - MOST_MET} more`) : null,
  );
}

function serversOf(runs) {
  const row = (run) =>
    h(
      "tr",
      null,
      h("th", { scope: "row" }, run.backend),
      h("td", null, `${run.status ?? "–"} ${run.code ?? ""}`),
      h("td.n", null, ms(run.ms)),
      h("td.mono", null, run.sha256?.slice(0, 8) ?? ""),
    );
  const names = ["Server", "Status", "Time", "sha256 of the answer"];
  return h(
    "section.rules",
    null,
    h("h2", null, "Each server"),
    h(
      "table.servers-table",
      null,
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          names.map((name) => h("th", { scope: "col" }, name)),
        ),
      ),
      h("tbody", null, runs.map(row)),
    ),
  );
}

/** Fill the right side for the run of the view. */
export function resultOf(view, side) {
  const { data, run, page, shows } = view;
  const names = data.runs.map((each) => each.backend);
  side.replaceChildren(
    ...[
      data.agreement === "different" && data.diffs?.length ? differenceBox(data.diffs, names) : null,
      run ? answerOf(run, data.runs) : h("p.quiet", null, "No server has answered yet."),
      data.stop && run?.wire ? rulesBehind(view) : null,
      data.runs.length > 1 ? serversOf(data.runs) : null,
      shows && page && !data.stop ? rulesMet(view) : null,
    ]
      .flat()
      .filter(Boolean),
  );
}
