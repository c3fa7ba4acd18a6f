// What bytes are: each role belongs to a layer, and layers differ in hue, underline, weight and height.
const FRAMING = ["chunk size", "end of chunk", "trailer", "end of chunks"];
const PART_HEADER = ["part header name", "part header value", "end of part header"];

/** The legend: name, layer, roles and a sample of each meaning. */
export const GROUPS = [
  ["request line", "head", ["request line"], "GET"],
  ["head fields", "head", ["field name", "field value", "end of head"], "Host"],
  ["chunk framing", "frame", FRAMING, "1f"],
  ["delimiters", "form", ["delimiter", "close delimiter"], "--b"],
  ["part headers", "form", PART_HEADER, "name"],
  ["data", "data", ["body", "part data"], "data"],
  ["ignored", "noise", ["preamble", "epilogue"], "…"],
  ["not read", "unread", ["unread"], "?"],
  ["undecided", "unread", ["undecided"], "?"],
];

const LAYERS = new Map(GROUPS.flatMap(([, layer, roles]) => roles.map((role) => [role, layer])));
const GROUP_OF = new Map(GROUPS.flatMap(([, , roles], index) => roles.map((role) => [role, index])));
const BOLD = new Set(["field name", "delimiter", "close delimiter", "part header name", "chunk size"]);
const LABELS = {
  "field name": "field",
  "field value": "field",
  "part header name": "part header",
  "part header value": "part header",
  "end of part header": "part header",
};
const HEIGHTS = {
  "request line": 0.86,
  "chunk size": 1,
  "end of chunk": 0.86,
  trailer: 0.86,
  "end of chunks": 0.86,
  delimiter: 1,
  "close delimiter": 1,
  "field name": 0.5,
  "field value": 0.5,
  "end of head": 0.5,
  "part header name": 0.7,
  "part header value": 0.7,
  "end of part header": 0.7,
  preamble: 0.2,
  epilogue: 0.2,
};

export const layerOf = (role) => LAYERS.get(role) ?? "unread";
export const groupOf = (role) => GROUP_OF.get(role) ?? -1;
export const heightOf = (role) => HEIGHTS[role] ?? 0.28;
export const labelOf = (role) => LABELS[role] ?? role;

/** Whether such bytes are content, which is cut after its first lines; structure is always shown whole. */
export const isContent = (role) => ["data", "noise", "unread"].includes(layerOf(role));

/** The classes of a span of bytes. */
export function classOf(role) {
  const more = role === "request line" ? " rl" : role.includes("delim") ? " dl" : "";
  return `s ${layerOf(role)}${BOLD.has(role) ? " b" : ""}${more}`;
}
