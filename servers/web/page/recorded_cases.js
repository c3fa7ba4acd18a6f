// The recorded requests of the project: found by rule, name or words, and sent as they are.
import { json, told } from "./api.js";
import { bytes, h, num } from "./elements.js";
import { safe } from "./written.js";

const SEARCH_MS = 150;
const MOST_CASES = 100;

function row({ name, title, rules, size }, send) {
  return h(
    "li",
    null,
    h(
      "div",
      null,
      h("b.mono", null, safe(name)),
      h("span.rules-of", null, rules.join(" ")),
      h("small", null, bytes(size)),
      h("p", null, safe(title)),
    ),
    h(
      "button.btn.plain",
      { type: "button", "aria-label": `Send ${name}`, onclick: () => send(name) },
      "Send",
    ),
  );
}

/** The list with its search; `send(name)` sends one. */
export function recordedCases(send) {
  const list = h("ul.cases", { tabindex: 0, "aria-label": "Recorded requests" });
  const total = h("small");
  let asked = 0;
  let timer;
  const find = async (text) => {
    const number = ++asked;
    try {
      const found = await json(`ui/cases?limit=${MOST_CASES}&q=${encodeURIComponent(text)}`);
      if (number !== asked) return;
      total.textContent = `${num(found.total)} found`;
      list.replaceChildren(...found.cases.map((each) => row(each, send)));
      if (!found.cases.length)
        list.replaceChildren(h("li.quiet", null, "No recorded request has these words."));
    } catch (error) {
      if (number === asked) list.replaceChildren(h("li", null, told(error)));
    }
  };
  const input = h("input", {
    type: "search",
    placeholder: "Rule or words: M62, boundary",
    "aria-label": "Find a recorded request",
    oninput: (event) => {
      clearTimeout(timer);
      timer = setTimeout(() => find(event.target.value), SEARCH_MS);
    },
  });
  find("");
  const title = h("h2", null, "Or send a recorded request", total);
  return h(
    "section.recorded",
    { "aria-label": "Recorded requests" },
    title,
    h("div.find", null, input),
    list,
  );
}
