// The answer as a tree. Its paths are those of the spans, so bytes and values find each other.
import { $, $$, h, num, plural } from "./elements.js";
import { plain, safe } from "./written.js";

const ORDER = [
  "method",
  "target",
  "path",
  "host",
  "args",
  "body",
  "form",
  "files",
  "json",
  "text",
  "headers",
  "cookies",
  "auth",
];
const PAIRS = new Set(["args", "headers", "cookies", "parameters"]);
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const MOST_ENTRIES = 100;
const MOST_CHARACTERS = 400;

const isBranch = (value) => value !== null && typeof value === "object" && Object.keys(value).length > 0;
const isPart = (value) => value?.name !== undefined && value?.index !== undefined;

/** The path of a member or an entry. */
function pathOf(parent, key, isEntry) {
  if (isEntry) return `${parent}[${key}]`;
  if (!parent) return key;
  return IDENTIFIER.test(key) ? `${parent}.${key}` : `${parent}[${JSON.stringify(key)}]`;
}

function shownValue(value) {
  if (Array.isArray(value)) return "[]";
  if (value === null) return "null";
  if (typeof value === "object") return "{}";
  if (value === "") return "empty";
  const text = String(value);
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}

function leaf(key, value, path, extra = "") {
  const shown = shownValue(value);
  const isEmpty = value === null || value === "";
  return h(
    `div.nd${extra}`,
    { role: "treeitem", tabindex: -1, "data-path": path, "aria-label": plain(`${key}: ${shown}`) },
    h("svg.layer", { viewBox: "0 0 3 14", preserveAspectRatio: "none", "aria-hidden": "true" }),
    h("span.key", null, safe(key)),
    h(`span.val${isEmpty ? ".nul" : ""}`, null, safe(shown)),
  );
}

/** The nodes of [key, value, path]s; those behind the first hundred are made when they are asked for. */
function entries(list, make) {
  const nodes = list.slice(0, MOST_ENTRIES).map(make);
  if (list.length > MOST_ENTRIES) {
    const rest = list.slice(MOST_ENTRIES);
    const more = h(
      "div.nd.rest",
      { role: "treeitem", tabindex: -1, onclick: () => item.replaceWith(...entries(rest, make)) },
      `… ${num(rest.length)} more`,
    );
    const item = h("li", { role: "none" }, more);
    nodes.push(item);
  }
  return nodes;
}

class Tree {
  constructor(openHeaders) {
    this.openHeaders = openHeaders;
  }

  any(key, value, path) {
    return isBranch(value) ? this.branch(key, value, path) : leaf(key, value, path);
  }

  children(key, value, path) {
    if (Array.isArray(value) && PAIRS.has(key) && value.every((each) => each?.name !== undefined)) {
      const wide = key === "headers" ? ".hdr" : "";
      return entries([...value.entries()], ([index, pair]) =>
        h("li", { role: "none" }, leaf(pair.name, pair.value, `${path}[${index}]`, wide)),
      );
    }
    const isList = Array.isArray(value);
    const members = Object.entries(value).filter(([name]) => !(isPart(value) && name === "index"));
    return entries(members, ([name, inner]) => {
      const shown = isList && isPart(inner) ? (inner.filename ?? inner.name) : name;
      return h("li", { role: "none" }, this.any(shown, inner, pathOf(path, name, isList)));
    });
  }

  branch(key, value, path) {
    const isOpen = this.openHeaders || key !== "headers";
    const list = h("ul", { role: "group", hidden: !isOpen });
    const isFilled = { now: false };
    const fill = () => {
      if (!isFilled.now) list.append(...this.children(key, value, path));
      isFilled.now = true;
    };
    if (isOpen) fill();
    const turn = h("span.tw", { "aria-hidden": "true" }, isOpen ? "▾" : "▸");
    const summary = Array.isArray(value)
      ? plural(value.length, "entry", "entries")
      : isPart(value)
        ? `part ${value.index}`
        : "";
    const node = h(
      "div.nd.group",
      { role: "treeitem", tabindex: -1, "aria-expanded": String(isOpen), "data-path": path },
      turn,
      h("span.key", null, safe(key)),
      h("span.sum", null, summary),
    );
    node.toggle = () => {
      fill();
      list.hidden = !list.hidden;
      turn.textContent = list.hidden ? "▸" : "▾";
      node.setAttribute("aria-expanded", String(!list.hidden));
    };
    node.addEventListener("click", (event) => {
      if (event.target === turn || !node.classList.contains("has")) node.toggle();
    });
    return [node, list];
  }
}

function keys(root) {
  return (event) => {
    const items = $$("[role=treeitem]", root).filter((item) => item.getClientRects().length);
    const index = items.indexOf(document.activeElement);
    if (index < 0) return;
    const now = items[index];
    const go = (to) => {
      const next = items[Math.max(0, Math.min(items.length - 1, to))];
      now.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    };
    const expanded = now.getAttribute("aria-expanded");
    if (event.key === "ArrowDown") go(index + 1);
    else if (event.key === "ArrowUp") go(index - 1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(items.length - 1);
    else if (event.key === "ArrowRight" && expanded === "false") now.toggle();
    else if (event.key === "ArrowLeft" && expanded === "true") now.toggle();
    else if (event.key === "Enter") now.click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

/** The value as a tree. With `openHeaders` lists of headers are open from the beginning. */
export function tree(value, label, { openHeaders = false } = {}) {
  if (!isBranch(value)) return h("pre.code", null, safe(JSON.stringify(value)));
  const rank = (key) => ORDER.indexOf(key) + 1 || 99;
  const names = Object.keys(value);
  if (!Array.isArray(value)) names.sort((a, b) => rank(a) - rank(b));
  const isEmpty = (inner) => inner === null || (Array.isArray(inner) && !inner.length);
  const empty = names.filter((name) => ORDER.includes(name) && isEmpty(value[name]));
  const maker = new Tree(openHeaders);
  const shown = names.filter((name) => !empty.includes(name));
  const root = h(
    "div.tv",
    { role: "tree", "aria-label": label },
    shown.map((name) =>
      h("div", { role: "none" }, maker.any(name, value[name], pathOf("", name, Array.isArray(value)))),
    ),
  );
  $("[role=treeitem]", root)?.setAttribute("tabindex", "0");
  root.addEventListener("keydown", keys(root));
  const note = empty.length ? h("p.nulls", null, `null or empty: ${empty.join(", ")}`) : null;
  return h("div.treebox", null, root, note);
}
