// The left side of Send: method, target, kind of body, fields, files, query and headers.
import { $, bytes, choice, h, plural } from "./elements.js";
import { KINDS, METHODS } from "./message.js";
import { plain, safe } from "./written.js";

/** Rows of a name and a value, which can be added, removed and moved. */
function pairRows(list, what, changed) {
  const box = h("div.rows");
  const input = (pair, index, at, name) =>
    h("input.mono", {
      value: pair[at],
      placeholder: name,
      spellcheck: "false",
      autocomplete: "off",
      "aria-label": `${what} ${index + 1}: ${name}`,
      oninput: (event) => {
        pair[at] = event.target.value;
        changed();
      },
    });
  const row = (pair, index) =>
    h(
      "div.row",
      null,
      input(pair, index, 0, "name"),
      input(pair, index, 1, "value"),
      ...moves(list, index, `${what} ${index + 1}`, draw),
    );
  const draw = (at) => {
    box.replaceChildren(...list.map(row));
    changed();
    focusRow(box, at);
  };
  draw();
  return {
    box,
    add: () => {
      list.push(["", ""]);
      draw();
      $("input", box.lastElementChild).focus();
    },
  };
}

/** Put the focus where it was before the rows were drawn anew: on a button of the row, or of the last one. */
function focusRow(box, at) {
  if (at === undefined) return;
  const row = box.children[at] ?? box.lastElementChild;
  (row && ($(".up:enabled", row) ?? $(".remove", row)))?.focus();
}

/** Buttons to move a row up and to remove it. */
function moves(list, index, name, draw) {
  const up = () => {
    list.splice(index - 1, 0, ...list.splice(index, 1));
    draw(index - 1);
  };
  const remove = () => {
    list.splice(index, 1);
    draw(index);
  };
  return [
    h(
      "button.icon.up",
      {
        type: "button",
        "aria-label": `Move ${plain(name)} up`,
        title: "Move up",
        disabled: index === 0,
        onclick: up,
      },
      "↑",
    ),
    h(
      "button.icon.remove",
      { type: "button", "aria-label": `Remove ${plain(name)}`, title: "Remove", onclick: remove },
      "×",
    ),
  ];
}

/** The files below what was dropped, folders included: [File, path]. */
async function* filesBelow(entry, folder = "") {
  if (entry.isFile) {
    yield [await new Promise((done, fail) => entry.file(done, fail)), folder + entry.name];
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const found = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!found.length) return;
    for (const inner of found) yield* filesBelow(inner, `${folder}${entry.name}/`);
  }
}

async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const found = [];
  if (!entries.length) return [...transfer.files].map((file) => [file, file.name]);
  for (const entry of entries) for await (const each of filesBelow(entry)) found.push(each);
  return found;
}

/** The files of the form: chosen, or dropped on the box. */
export class FileRows {
  constructor(form, changed) {
    this.form = form;
    this.changed = changed;
    this.rows = h("div.rows");
    this.drop = h("div");
    const picker = (extra, name) =>
      h("input", {
        type: "file",
        multiple: true,
        hidden: true,
        "aria-label": name,
        ...extra,
        onchange: (event) => this.chosen(event.target),
      });
    this.picker = picker({ class: "pick-files" }, "Choose files");
    this.folder = picker({ webkitdirectory: true, class: "pick-folder" }, "Choose a folder");
    this.box = h("div", null, this.rows, this.drop, this.picker, this.folder);
    this.draw();
  }

  chosen(input) {
    this.take([...input.files].map((file) => [file, file.webkitRelativePath || file.name]));
    input.value = "";
  }

  take(files) {
    for (const [file, path] of files) this.form.files.push({ name: "file", file, path, type: file.type });
    this.draw();
  }

  /** Take what is dropped anywhere on this element. */
  listen(element, signal) {
    const over = (on) => this.drop.classList.toggle("over", on);
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    element.addEventListener("dragover", (event) => hasFiles(event) && (event.preventDefault(), over(true)), {
      signal,
    });
    element.addEventListener("dragleave", (event) => !element.contains(event.relatedTarget) && over(false), {
      signal,
    });
    element.addEventListener(
      "drop",
      async (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        over(false);
        this.take(await dropped(event.dataTransfer));
      },
      { signal },
    );
  }

  row(entry, index) {
    const { files } = this.form;
    const input = (key, label) =>
      h("input.mono", {
        value: entry[key],
        placeholder: key === "type" ? "application/octet-stream" : key,
        spellcheck: "false",
        "aria-label": `${label} of ${plain(entry.path)}`,
        oninput: (event) => {
          entry[key] = event.target.value;
          this.changed();
        },
      });
    const name = h(
      "div.fname",
      { title: plain(entry.path) },
      h("span", null, safe(entry.path)),
      h("small", null, bytes(entry.file.size)),
    );
    return h(
      "div.row.file",
      null,
      input("name", "Field name"),
      name,
      input("type", "Content-Type"),
      ...moves(files, index, entry.path, (at) => this.draw(at)),
    );
  }

  draw(at) {
    const { files } = this.form;
    const button = (text, picker) =>
      h("button.link", { type: "button", onclick: () => picker.click() }, text);
    this.rows.replaceChildren(...files.map((entry, index) => this.row(entry, index)));
    this.drop.className = files.length ? "drop" : "drop tall";
    this.drop.replaceChildren(
      files.length ? "Drop more here, or choose " : h("b", null, "Drop files or folders here"),
      h(
        "span",
        null,
        files.length ? "" : "or choose ",
        button("files", this.picker),
        " or ",
        button("a folder", this.folder),
      ),
    );
    focusRow(this.rows, at);
    this.changed();
  }
}

/** The whole form. `changed` is called after each change, `send` when it is to be sent. */
export function sendForm(form, names, changed, send) {
  const fields = pairRows(form.fields, "field", changed);
  const query = pairRows(form.query, "query", changed);
  const headers = pairRows(form.headers, "header", changed);
  const summary = h("small");
  const files = new FileRows(form, () => {
    const { length } = form.files;
    summary.textContent = length
      ? `${plural(length, "file")}, ${bytes(form.files.reduce((sum, { file }) => sum + file.size, 0))}`
      : "";
    changed();
  });
  const legend = (text, rows, label, note) =>
    h(
      "legend",
      null,
      text,
      rows ? h("button.link.more", { type: "button", onclick: rows.add }, label) : null,
      note,
    );
  const area = (key, label) =>
    h("textarea", {
      rows: 9,
      spellcheck: "false",
      "aria-label": label,
      oninput: (event) => {
        form[key] = event.target.value;
        changed();
      },
    });
  const [json, text] = [area("json", "The JSON"), area("text", "The text")];
  json.value = form.json;
  text.value = form.text;
  const boxes = {
    fields: h("fieldset", null, legend("Fields", fields, "add a field"), fields.box),
    files: h("fieldset", null, legend("Files", null, "", summary), files.box),
    json: h("fieldset", null, legend("JSON"), json),
    text: h("fieldset", null, legend("Text"), text),
    none: h("p.quiet", null, "No body."),
  };
  const shown = {
    multipart: ["fields", "files"],
    form: ["fields"],
    json: ["json"],
    text: ["text"],
    bytes: ["files"],
    none: ["none"],
  };
  const showKind = (kind) => {
    form.kind = kind;
    for (const [name, box] of Object.entries(boxes)) box.hidden = !shown[kind].includes(name);
    changed();
  };
  const address = h(
    "div.addr",
    null,
    h(
      "select",
      { "aria-label": "Method", onchange: (event) => ((form.method = event.target.value), changed()) },
      METHODS.map((method) => h("option", { selected: method === form.method }, method)),
    ),
    h("input", {
      value: form.target,
      "aria-label": "Target",
      spellcheck: "false",
      oninput: (event) => ((form.target = event.target.value), changed()),
    }),
    h("button.btn.primary", { type: "submit" }, "Send"),
  );
  const note = h("small", null, "Host, Content-Type and Content-Length are written for you");
  const element = h(
    "form",
    { "aria-label": "The request", onsubmit: (event) => (event.preventDefault(), send()) },
    address,
    h(
      "fieldset",
      null,
      h("legend", null, "Body"),
      choice("Kind of body", KINDS, form.kind, showKind, ".kinds"),
    ),
    Object.values(boxes),
    h("fieldset", null, legend("Query", query, "add a pair"), query.box),
    h("fieldset", null, legend("Headers", headers, "add a header", note), headers.box),
    names.length > 1
      ? h("fieldset", null, h("legend", null, "Send to"), targets(form, names, changed))
      : null,
  );
  showKind(form.kind);
  return { element, files };
}

function targets(form, names, changed) {
  const options = [
    ["*", names.length === 2 ? "Both, and compare" : "All, and compare"],
    ...names.map((name) => [name, `${name} only`]),
  ];
  return choice("Send to", options, form.to?.length === 1 ? form.to[0] : "*", (name) => {
    form.to = name === "*" ? names : [name];
    changed();
  });
}
