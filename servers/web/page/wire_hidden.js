// What stands in place of the bytes when a backend cannot see them: what Flask was given.
import { h } from "./elements.js";
import { safe } from "./written.js";

const rank = (name) =>
  name.startsWith("wsgi") ? 3 : name.startsWith("HTTP_") ? 2 : name.startsWith("CONTENT") ? 1 : 0;

function environ(values) {
  const names = Object.keys(values).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return h(
    "table.envt",
    null,
    h("caption.hidden", null, "The WSGI environment"),
    names.map((name) => {
      const value = values[name];
      return h(
        "tr",
        null,
        h("th", { scope: "row" }, safe(name)),
        h("td", null, value === "" ? h("span.quiet", null, "empty") : safe(value)),
      );
    }),
  );
}

/** Why there are no bytes, and what there is instead. */
export function hiddenWire(view) {
  const { data, run } = view;
  const name = run?.backend ?? "This server";
  const seeing = data.runs.find((each) => each.wire);
  const link =
    seeing && view.seesWire
      ? h("button.link", { type: "button", onclick: () => view.show("text", seeing.backend) }, seeing.backend)
      : null;
  const refused = run?.status >= 400;
  return h(
    "div.note",
    null,
    h("h2", null, `${name} cannot see the wire`),
    h(
      "p",
      null,
      "WSGI hides it: the server splits the head and takes the chunked coding off before Flask is called. ",
      run?.environ ? "This is the environment that Flask was given. " : "",
      link
        ? ["The bytes of the same upload are under ", link, "."]
        : "The same upload to a server that sees the wire shows its bytes.",
    ),
    run?.environ ? environ(run.environ) : null,
    !run?.environ && refused
      ? h(
          "p.strong",
          null,
          h("b", null, "Flask was not called: "),
          `${name} refused the head itself, with ${run.status} ${run.code ?? ""}.`,
        )
      : null,
  );
}
