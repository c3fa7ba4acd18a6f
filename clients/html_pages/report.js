// The wire views of the report: the bytes of a finding are drawn when it is opened, and removed when it is closed.
const { WireView } = modules["wire_view.js"];
const { SpanPages } = modules["spans.js"];
const { fromBase64 } = modules["written.js"];
const PAGE = 2000;
const parsed = (node) => JSON.parse(node.textContent);
const rules = parsed(document.getElementById("rules"));

/** The next spans from an offset on, out of the pages that the report has. */
function spansFrom(pages, from) {
  const isBehind = ([start, length]) => start + length > from;
  const page = pages.find(({ spans }) => isBehind(spans.at(-1))) ?? pages.at(-1);
  return { ...page, spans: page.spans.filter(isBehind).slice(0, PAGE) };
}

function open(place) {
  const { data, pages, path } = parsed(place.querySelector("script"));
  Object.assign(data, { kept: fromBase64(data.bytes), tail: fromBase64(data.tail_bytes) });
  const node = document.createElement("div");
  place.append(node);
  place.classList.add("drawn");
  const load = async (from) => spansFrom(pages, from);
  const view = new WireView(node, data, new SpanPages(data.total, load), { rules, path, heading: "h4" });
  view.start();
  return () => {
    view.close();
    node.remove();
    place.classList.remove("drawn");
  };
}

for (const place of document.querySelectorAll(".bytes-of")) {
  const details = place.closest("details");
  let close = null;
  details.addEventListener("toggle", () => {
    if (details.open) close ??= open(place);
    else {
      close?.();
      close = null;
    }
  });
}
