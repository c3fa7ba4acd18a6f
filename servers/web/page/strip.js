// A request as a skyline: one bar a run of bytes; height and hue say what the bytes are.
import { h, rect } from "./elements.js";
import { groupOf, heightOf, layerOf } from "./roles.js";

const WIDTH = 1000;
const TO_SCALE = 4096;
const MOST_TICKS = 200;

/** Neighbours of one meaning as one bar. `strip` is [[start, length, role]...] with names of roles. */
function merged(strip) {
  const runs = [];
  for (const [start, length, role] of strip) {
    const last = runs.at(-1);
    const apart = role === "delimiter" || role === "chunk size";
    if (last && !apart && groupOf(last.role) === groupOf(role)) last.length += length;
    else runs.push({ start, length, role });
  }
  return runs;
}

/** Where an offset stands on the strip, and back. To scale for short requests, else by the root of the length. */
export function scaleOf(strip, total, expected = total) {
  const runs = merged(strip);
  const covered = runs.length ? runs.at(-1).start + runs.at(-1).length : 0;
  const rest = Math.max(0, expected - covered);
  const toScale = expected <= TO_SCALE;
  const width = (length) => (toScale ? length : Math.sqrt(length) + 3);
  const widths = runs.map((run) => width(run.length));
  const sum = widths.reduce((a, b) => a + b, 0) + (rest ? width(rest) : 0) || 1;
  const edges = [0];
  for (const each of widths) edges.push(edges.at(-1) + (each / sum) * WIDTH);
  const position = (offset) => {
    const index = runs.findIndex((run) => offset < run.start + run.length);
    if (index < 0) return edges.at(-1);
    const share = (offset - runs[index].start) / runs[index].length;
    return edges[index] + share * (edges[index + 1] - edges[index]);
  };
  const offsetAt = (x) => {
    const index = Math.max(0, edges.findIndex((edge) => edge > x) - 1);
    const run = runs[Math.min(index, runs.length - 1)];
    if (!run) return 0;
    const share = Math.min(1, (x - edges[index]) / (edges[index + 1] - edges[index] || 1));
    return Math.floor(run.start + share * run.length);
  };
  return { runs, edges, toScale, position, offsetAt };
}

function bars(scale, base, gap) {
  return scale.runs.map((run, index) => {
    const x = scale.edges[index];
    const width = Math.max(scale.edges[index + 1] - x - gap, 0.9);
    const height = heightOf(run.role) * (base - 2);
    return rect(`k-${layerOf(run.role)}`, x, base - height, width, height);
  });
}

const frame = (tag, height, ...children) =>
  h(tag, { viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" }, children);

/** The strip of a row in the list, 14 pixels high. What is still to come is dashed. */
export function smallStrip(row) {
  if (!row.strip.length) return h("span.quiet", null, "");
  const arriving = row.arriving;
  const scale = scaleOf(
    row.strip,
    row.total,
    arriving?.expected ? arriving.expected + (row.head ?? 0) : undefined,
  );
  const end = scale.edges.at(-1);
  const at = row.stop?.at;
  return frame(
    "svg.strip",
    14,
    bars(scale, 14, 1.4),
    at == null ? null : rect("stop", Math.min(scale.position(at), WIDTH - 6), 0, 6, 14),
    arriving && end < WIDTH - 3 ? rect("todo", end + 2, 10.5, WIDTH - end - 4, 3) : null,
  );
}

/** The minimap: bars, ticks where reads began, where it stopped; `choose(offset)` for a press on it. */
export function minimap(data, choose) {
  const expected = data.arriving?.expected ? data.arriving.expected + data.head : undefined;
  const scale = scaleOf(data.strip, data.total, expected);
  const mark = rect("mark", -10, 0, 3, 30);
  const port = rect("port", 0, 31.5, 0, 3);
  const end = scale.edges.at(-1);
  const svg = frame(
    "svg.strip.big",
    38,
    bars(scale, 30, 0.8),
    (data.reads ?? []).slice(0, MOST_TICKS).map((offset) => rect("tick", scale.position(offset), 33, 1, 5)),
    data.arriving && end < WIDTH - 3 ? rect("todo", end + 2, 24, WIDTH - end - 4, 6) : null,
    mark,
    port,
    data.stop?.at == null ? null : rect("stop", Math.min(scale.position(data.stop.at), WIDTH - 3), 0, 3, 38),
  );
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    choose(scale.offsetAt(((event.clientX - box.left) / box.width) * WIDTH));
  });
  const place = (element, from, to, least) => {
    element.setAttribute("x", from.toFixed(2));
    element.setAttribute("width", Math.max(least, to - from).toFixed(2));
  };
  return {
    svg,
    scale,
    mark: (span) =>
      span ? place(mark, scale.position(span.at) - 1, scale.position(span.end), 3) : place(mark, -10, -7, 3),
    show: (from, to) => place(port, scale.position(from), scale.position(to), 2),
  };
}
