// Wire: one request of the history in the wire view, followed while its body arrives.
import { address, call, download, follow, json, told, url } from "./api.js";
import { $, bytes, copy, h, say, sentence } from "./elements.js";
import { PAGE, SpanPages } from "./spans.js";
import { WireView } from "./wire_view.js";
import { fromBase64, plain } from "./written.js";

const REFRESH_MS = 400;
const NOT_COPIED = /^(host|content-length|transfer-encoding|connection)$/i;
const shell = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`);

export class WireScreen {
  constructor(app, main, [id, mode, backend]) {
    this.app = app;
    this.main = main;
    this.id = Number(id);
    this.mode = mode || "text";
    this.backend = backend;
    this.abort = new AbortController();
  }

  async open() {
    document.title = "Wire · wireproof";
    if (!Number.isInteger(this.id) || this.id < 1) return this.latest();
    const { signal } = this.abort;
    try {
      await this.load();
      if (signal.aborted) return;
      await this.view.start();
    } catch (error) {
      if (!signal.aborted) this.fail(error);
      return;
    }
    // What came between the first look and the beginning of the events is not told again: look once more.
    const began = (state) => state === true && this.view.data.arriving && this.refresh();
    follow("requests/events", (name, data) => this.event(name, data), began, signal);
  }

  /** Without an id: the newest request. */
  async latest() {
    try {
      const { requests } = await json("requests/?limit=1");
      if (requests.length) return location.replace(`#/wire/${requests[0].id}`);
      this.note(
        "No request yet. ",
        "What reaches a server can be seen here byte for byte.",
        h("a.btn.primary", { href: "#/send" }, "Send an upload"),
      );
    } catch (error) {
      this.fail(error);
    }
  }

  close() {
    this.abort.abort();
    clearTimeout(this.refreshing);
    this.view?.close();
  }

  async data() {
    const data = await json(`requests/${this.id}`);
    return { ...data, kept: fromBase64(data.bytes), tail: fromBase64(data.tail_bytes) };
  }

  spansOf(data) {
    return new SpanPages(data.total, (from) => json(`requests/${this.id}/spans?from=${from}&limit=${PAGE}`));
  }

  async load() {
    const data = await this.data();
    document.title = `${data.method ?? ""} ${plain(data.target)} · wireproof`;
    this.app.last = this.id;
    const lead = h("a.btn.plain.back", { href: "#/watch", "aria-label": "Back to the list" }, "←");
    this.view = new WireView(this.main, data, this.spansOf(data), {
      mode: this.mode,
      rules: await this.app.rules(),
      backend: this.backend,
      lead,
      actions: [this.replayMenu(data), this.copyMenu(data), this.walkers()],
      onShow: (mode, backend) => {
        this.mode = mode;
        history.replaceState(null, "", `#/wire/${this.id}/${mode}/${encodeURIComponent(backend)}`);
      },
    });
  }

  event(name, data) {
    if (["request", "progress"].includes(name) && data.id === this.id) this.refresh();
  }

  /** Show newer data, at most some times a second. */
  refresh() {
    this.refreshing ??= setTimeout(async () => {
      this.refreshing = null;
      try {
        const newer = await this.data();
        if (!this.abort.signal.aborted) await this.view.update(newer, this.spansOf(newer));
      } catch {
        // What is shown stays; the next event asks again.
      }
    }, REFRESH_MS);
  }

  fail(error) {
    if (error.status === 404) {
      const history = this.app.server?.history;
      if (!history)
        return this.note(
          "The history is off. ",
          "This server keeps no requests. Start it with --history 500.",
          h("a.btn", { href: "#/send" }, "Send an upload"),
        );
      return this.note(
        `Request ${this.id} is gone. `,
        `The server keeps the last ${history.requests}.`,
        h("a.btn", { href: "#/watch" }, "Back to the list"),
      );
    }
    this.note(
      "The bytes cannot be shown. ",
      sentence(error.message),
      h("a.btn", { href: "#/watch" }, "Back to the list"),
    );
  }

  note(head, text, link) {
    this.main.replaceChildren(
      h("div.page", null, h("h1.lede", null, head, h("span.soft", null, text)), h("p.act", null, link)),
    );
  }

  menu(name, entries) {
    const close = () => menu.removeAttribute("open");
    const menu = h(
      "details.menu",
      { onfocusout: (event) => !menu.contains(event.relatedTarget) && close() },
      h("summary.btn", null, name),
      h(
        "div",
        null,
        entries.map(([text, note, act]) => {
          const run = async () => {
            close();
            await act();
          };
          return h("button", { type: "button", onclick: run }, text, h("small", null, note));
        }),
      ),
    );
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      close();
      $("summary", menu).focus();
      event.stopPropagation();
    });
    return menu;
  }

  copyMenu(data) {
    const head = new TextDecoder("latin1").decode(data.kept.subarray(0, data.head ?? data.kept.length));
    const fields = head
      .split("\r\n")
      .slice(1)
      .map((line) => /^([^:]+):[ \t]*(.*)$/.exec(line))
      .filter((match) => match && !NOT_COPIED.test(match[1]))
      .map(([, name, value]) => [name, value]);
    const target = `${address()}${data.target?.startsWith("/") ? data.target : "/"}`;
    const body = url(`requests/${this.id}.body`);
    const guard = (act) => async () => {
      try {
        await act();
      } catch (error) {
        this.tell(error);
      }
    };
    const curl = () => {
      const options = fields.map(([name, value]) => `-H ${shell(`${name}: ${value}`)}`).join(" ");
      const send = `curl -X ${data.method} ${options}${data.size ? " --data-binary @-" : ""} ${shell(target)}`;
      return copy(data.size ? `curl -s ${shell(body)} | ${send}` : send, "the curl line");
    };
    const python = () => {
      const quoted = JSON.stringify;
      const content = data.size ? `\n    data=requests.get(${quoted(body)}).content,` : "";
      const pairs = fields.map(([name, value]) => `${quoted(name)}: ${quoted(value)}`).join(", ");
      return copy(
        `import requests\n\nrequests.request(\n    ${quoted(data.method)}, ${quoted(target)},\n    headers={${pairs}},${content}\n)`,
        "the code",
      );
    };
    return this.menu("Copy", [
      ["As curl", "shell", curl],
      ["As requests", "Python", python],
      [
        "Raw bytes",
        `.http, ${bytes(data.total)}`,
        guard(() => download(`requests/${this.id}.http`, `request-${this.id}.http`)),
      ],
      ["As HAR", ".har", guard(() => download(`requests/${this.id}.har`, `request-${this.id}.har`))],
    ]);
  }

  replayMenu(data) {
    const names = this.app.backends().map((backend) => backend.name);
    if (!names.length || data.arriving) return null;
    const entries = [
      ...(names.length > 1 ? [[`Both, and compare`, "", names]] : []),
      ...names.map((name) => [name, "", [name]]),
    ];
    return this.menu(
      "Replay",
      entries.map(([text, note, to]) => [text, note, () => this.replay(to)]),
    );
  }

  async replay(to) {
    try {
      const options = {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ to }),
      };
      const answer = await (await call(`requests/${this.id}/replay`, options)).json();
      const outcome =
        answer.runs?.map((run) => `${run.backend} ${run.status ?? "no answer"}`).join(", ") ?? "";
      say(`Sent again: ${outcome}`);
      this.app.toast(
        `Sent again to ${to.join(" and ")}. ${outcome}`,
        answer.id ? [`Request ${answer.id} →`, `#/wire/${answer.id}`] : null,
      );
    } catch (error) {
      this.tell(error);
    }
  }

  tell(error) {
    say(error.message);
    this.app.toast(told(error));
  }

  walkers() {
    const arrow = (by, sign, name) =>
      h(
        "button.icon",
        { type: "button", "aria-label": name, title: name, onclick: () => this.walk(by) },
        sign,
      );
    return h("span.walk", null, arrow(1, "↑", "Newer request"), arrow(-1, "↓", "Older request"));
  }

  /** The next older or newer request that is still kept. */
  async walk(by) {
    const { requests } = by < 0 ? await json(`requests/?before=${this.id}&limit=1`) : await this.newer();
    if (requests.length) location.hash = `#/wire/${requests[0].id}/${this.mode}`;
    else say(by < 0 ? "This is the oldest request" : "This is the newest request");
  }

  /** Ids grow by one: the next ones are looked at first, and the whole list only if they are gone. */
  async newer() {
    const { requests } = await json(`requests/?before=${this.id + 21}&limit=20`);
    const after = requests.filter((row) => row.id > this.id);
    return { requests: after.length ? [after.at(-1)] : [] };
  }

  key(event) {
    const { view } = this;
    if (event.key === "j") this.walk(-1);
    else if (event.key === "k") this.walk(1);
    else if (!view) return false;
    else if ({ t: 1, x: 1, l: 1 }[event.key])
      view.show({ t: "text", x: "hex", l: "list" }[event.key], view.run?.backend);
    else if (event.key === "s") this.toEnd();
    else if (event.key === "Escape")
      view.selection.pinned ? view.selection.unpin() : (location.hash = "#/watch");
    else if (event.key.startsWith("Arrow") && [document.body, this.main].includes(document.activeElement)) {
      ($("[role=listbox],.listed", view.pane) ?? view.pane).focus({ preventScroll: true });
      view.selection.key(event);
    } else return false;
    return true;
  }

  async toEnd() {
    const { view } = this;
    if (!view.shows) return;
    const { stop, total } = view.data;
    await view.goTo(stop?.at == null ? total - 1 : stop.at - (stop.len ? 0 : 1), true);
    $(".ended", view.pane)?.scrollIntoView({ block: "nearest" });
  }
}
