// Bytes as nodes: line ends as symbols, control and direction characters as boxed escapes, invalid UTF-8 as \xNN.
import { h } from "./elements.js";

const LINE_ENDS = { 13: "\\r", 10: "\\n", 9: "\\t" };
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/u;
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

function codePoints(data) {
  try {
    return [...strict.decode(data)].map((character) => character.codePointAt(0));
  } catch {
    return [...data].map((byte) => (byte < 128 ? byte : -byte));
  }
}

const escaped = (code) =>
  code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;

/** Bytes as text nodes and small elements. No byte of them can become markup or turn the direction of the text. */
export function written(data) {
  const nodes = [];
  let run = "";
  const flush = () => {
    if (run) nodes.push(run);
    run = "";
  };
  const add = (tag, text) => {
    flush();
    nodes.push(h(tag, null, text));
  };
  for (const code of codePoints(data)) {
    if (code < 0) add("i.esc", `\\x${(-code).toString(16)}`);
    else if (LINE_ENDS[code]) add("i", LINE_ENDS[code]);
    else if (HIDDEN.test(String.fromCodePoint(code))) add("i.esc", escaped(code));
    else run += String.fromCodePoint(code);
  }
  flush();
  return nodes;
}

/** The same for a string that somebody else chose. */
export const safe = (text) => written(encoder.encode(String(text)));

/** A string that somebody else chose, for an attribute: without characters that hide or turn text. */
export const plain = (text) =>
  [...String(text ?? "")].map((c) => (HIDDEN.test(c) ? escaped(c.codePointAt(0)) : c)).join("");

/** Whether bytes are text that can be read: UTF-8 without control characters. */
export function isText(data) {
  try {
    return !CONTROL.test(strict.decode(data));
  } catch {
    return false;
  }
}

export const fromBase64 = (text) => Uint8Array.from(atob(text ?? ""), (character) => character.charCodeAt(0));
export const asAscii = (data) =>
  [...data].map((b) => (b > 31 && b < 127 ? String.fromCharCode(b) : "·")).join("");
export { encoder };
