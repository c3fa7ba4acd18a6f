// Nodes and words: the one place where text becomes nodes (never innerHTML), and how figures are written.
const SVG = "http://www.w3.org/2000/svg";
const IN_SVG = /^(svg|rect|path|circle|g)$/;

export const $ = (query, root = document) => root.querySelector(query);
export const $$ = (query, root = document) => [...root.querySelectorAll(query)];

/** An element: `h("p.why.bad", { onclick: f, title: "x" }, "text", [nodes])`. Empty children are left out. */
export function h(tag, props, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = IN_SVG.test(name)
    ? document.createElementNS(SVG, name)
    : document.createElement(name || "div");
  if (classes.length) element.setAttribute("class", classes.join(" "));
  for (const [key, value] of Object.entries(props ?? {})) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.flat(9).filter((child) => child != null && child !== false));
  return element;
}

/** A group of buttons of which one is pressed. `options` are [key, label, figure]. */
export function choice(label, options, chosen, choose, extra = "") {
  const press = (button) =>
    $$("button", group).forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
  const group = h(
    `div.seg${extra}`,
    { role: "group", "aria-label": label },
    options.map(([key, text, figure]) =>
      h(
        "button",
        {
          type: "button",
          "data-key": key,
          "aria-pressed": String(key === chosen),
          onclick: (event) => {
            press(event.currentTarget);
            choose(key);
          },
        },
        text,
        figure == null ? null : h("b", null, figure),
      ),
    ),
  );
  return group;
}

/** Press the button of a `choice` without choosing. */
export function press(group, key) {
  for (const button of $$("button", group))
    button.setAttribute("aria-pressed", String(button.dataset.key === key));
}

/** A rectangle to scale: geometry is SVG attributes, because the CSP forbids styles from script. */
export const rect = (kind, x, y, width, height) =>
  h(kind ? `rect.${kind}` : "rect", {
    x: +x.toFixed(2),
    y: +y.toFixed(2),
    width: +width.toFixed(2),
    height: +height.toFixed(2),
  });

/** A spacer of a windowed list, in pixels. */
export const spacer = () => h("svg.spacer", { width: 1, height: 0, "aria-hidden": "true" });

export const num = (n) => n.toLocaleString("en");
export const plural = (n, one, many = `${one}s`) => `${num(n)} ${n === 1 ? one : many}`;
export const sentence = (text) =>
  text ? text[0].toUpperCase() + text.slice(1) + (/[.?!]$/.test(text) ? "" : ".") : "";

export function bytes(n) {
  if (n == null) return "–";
  if (n < 1000) return `${n} B`;
  if (n < 1e6) return `${(n / 1e3).toFixed(1)} kB`;
  return n < 1e9 ? `${(n / 1e6).toFixed(2)} MB` : `${(n / 1e9).toFixed(2)} GB`;
}

export function ms(x) {
  if (x == null) return "–";
  return x >= 1000 ? `${(x / 1000).toFixed(2)} s` : `${x.toFixed(x < 100 ? 1 : 0)} ms`;
}

export function seconds(x) {
  if (!Number.isFinite(x)) return "unknown time";
  return x < 60 ? `${x.toFixed(x < 10 ? 1 : 0)} s` : `${Math.floor(x / 60)} min ${Math.round(x % 60)} s`;
}

/** The time of day in the reader's own zone. */
export const clock = (iso) => new Date(iso).toLocaleTimeString("en-GB");
export const hex = (byte) => byte.toString(16).padStart(2, "0");

/** Tell a screen reader what has happened. */
export function say(text) {
  $("#say").textContent = text;
}

/** Copy text. Tells whether it worked. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${what}`);
    return true;
  } catch {
    say("The browser does not let this page use the clipboard");
    return false;
  }
}

/** Let the browser save a Blob as a file. */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
