// Send: a form on the left, the same request as code on the right, and below it progress and the answer.
import { ApiError, call, told } from "./api.js";
import { bytes, choice, copy, h, num, save, say, seconds } from "./elements.js";
import {
  bodyOf,
  contentOf,
  curlOf,
  emptyForm,
  headOf,
  instructionsOf,
  rawOf,
  requestsOf,
} from "./message.js";
import { classOf } from "./roles.js";
import { recordedCases } from "./recorded_cases.js";
import { sendForm } from "./send_form.js";
import { upload } from "./upload.js";
import { pair } from "./watch_rows.js";
import { answerOf, differenceBox } from "./wire_result.js";
import { safe } from "./written.js";

const MOST_PREVIEW = 4000;
const narrow = matchMedia("(max-width: 860px)");
const kept = { form: null }; // what was filled in stays while the page is open

/** The request as the bytes that will be sent; files are named, not read. */
function preview(form) {
  const [, pieces] = contentOf(form);
  const line = (role, text) => h("span", { class: classOf(role) }, safe(text));
  const end = () => [h("i.crlf", null, "\\r\\n"), "\n"];
  const [first, ...fields] = headOf(form);
  const nodes = [
    line("request line", first),
    end(),
    fields.map((field) => [line("field value", field), end()]),
    end(),
  ];
  for (const piece of pieces) {
    if (typeof piece !== "string")
      nodes.push(h("span.s.data", null, `(${num(piece.size)} bytes of `, safe(piece.name), ")"));
    else if (form.kind !== "multipart")
      nodes.push(h("span.s.data", null, safe(piece.slice(0, MOST_PREVIEW))));
    else nodes.push(...formLines(piece, form.boundary, end));
  }
  return nodes;
}

function formLines(piece, boundary, end) {
  const isHead = piece.startsWith(`--${boundary}`);
  return piece.split("\r\n").flatMap((text, index) => {
    const role = !isHead
      ? "part data"
      : index > 0
        ? "part header value"
        : text.endsWith("--")
          ? "close delimiter"
          : "delimiter";
    return [
      index ? end() : [],
      text ? h("span", { class: classOf(role) }, safe(text.slice(0, MOST_PREVIEW))) : [],
    ];
  });
}

export class SendScreen {
  constructor(app, main) {
    this.app = app;
    this.main = main;
    this.abort = new AbortController();
    this.form = kept.form ??= emptyForm();
  }

  open() {
    document.title = "Send · wireproof";
    const names = this.app.backends().map((backend) => backend.name);
    this.code = h("pre.code", { tabindex: 0, "aria-label": "The request as code" });
    this.answer = h("section.answer", { "aria-label": "Answer" });
    const { element, files } = sendForm(
      this.form,
      names,
      () => this.refresh(),
      () => this.send(),
    );
    files.listen(document.documentElement, this.abort.signal);
    const side = h(
      "div.side",
      null,
      this.drawTabs(),
      this.code,
      this.answer,
      recordedCases((name) => this.sendCase(name)),
    );
    const page = h(
      "div.page",
      null,
      h(
        "h1.lede",
        null,
        "Send an upload. ",
        h(
          "span.soft",
          null,
          names.length > 1
            ? "See what each server reads, byte by byte."
            : "See what the server reads, byte by byte.",
        ),
      ),
      h("div.send", null, element, side),
    );
    this.main.replaceChildren(page);
    this.refresh();
    this.idle("The answer will stand here.");
  }

  close() {
    this.abort.abort();
    this.sending?.stop();
  }

  drawTabs() {
    const tabs = choice(
      "Show the request as",
      [
        ["curl", "curl"],
        ["requests", "requests"],
        ["bytes", "Raw bytes"],
      ],
      this.form.tab,
      (tab) => {
        this.form.tab = tab;
        this.refresh();
      },
    );
    this.copying = h("button.btn.plain", { type: "button", onclick: () => this.copy() }, "Copy");
    this.saving = h(
      "button.btn.plain",
      { type: "button", onclick: () => save(rawOf(this.form), "request.http") },
      "Save as .http",
    );
    return h("div.side-head", null, tabs, h("span", null, this.saving, this.copying));
  }

  refresh() {
    if (!this.saving) return;
    const { form } = this;
    this.saving.hidden = form.tab !== "bytes";
    if (form.tab === "bytes") this.code.replaceChildren(...preview(form).flat(9));
    else
      this.code.replaceChildren(...safe(form.tab === "curl" ? curlOf(form) : requestsOf(form)).map(newlines));
  }

  async copy() {
    const { form } = this;
    let text = form.tab === "curl" ? curlOf(form) : requestsOf(form);
    if (form.tab === "bytes") {
      const data = new Uint8Array(await rawOf(form).arrayBuffer());
      try {
        text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
      } catch {
        say("These bytes are not text: save them as a file");
        this.app.toast("These bytes are not text, so the clipboard cannot hold them. Save them as a file.");
        return;
      }
    }
    if (!(await copy(text, "the request"))) return;
    this.copying.textContent = "Copied";
    setTimeout(() => (this.copying.textContent = "Copy"), 1200);
  }

  idle(text) {
    this.answer.className = "answer";
    this.answer.replaceChildren(h("p.quiet", null, text));
  }

  async send() {
    this.sending?.stop();
    const body = bodyOf(this.form);
    const sending = upload(
      "ui/send",
      instructionsOf(this.form),
      body,
      (progress) => this.sending === sending && this.progress(progress),
    );
    this.sending = sending;
    this.progress({ loaded: 0, total: body.size, rate: 0, left: Infinity });
    this.reveal();
    try {
      const answer = await sending.done;
      if (this.sending !== sending) return;
      if (answer === null) this.idle("Stopped. The servers keep nothing of an upload that did not end.");
      else this.show(answer);
    } catch (error) {
      this.fail(error);
    } finally {
      if (this.sending === sending) this.sending = null;
    }
  }

  fail(error) {
    this.answer.className = "answer bad";
    const text =
      error instanceof ApiError && error.status === 404
        ? new ApiError(404, { title: "This server cannot send for the page: it has no /ui/send" })
        : error;
    this.answer.replaceChildren(told(text));
    say(text.message);
  }

  progress({ loaded, total, rate, left }) {
    const share = total ? loaded / total : 1;
    const bar = { x: 0.5, y: 0.5, height: 9, rx: 2 };
    const isSent = loaded >= total;
    this.answer.className = "answer";
    const stop = () => this.sending?.stop();
    if (!this.stopping?.isConnected) {
      this.fillBar = h("rect.fill", { ...bar, width: 0 });
      this.bar = h(
        "svg",
        {
          viewBox: "0 0 1000 10",
          preserveAspectRatio: "none",
          role: "progressbar",
          "aria-valuemin": 0,
          "aria-valuemax": 100,
          "aria-label": "Upload",
        },
        h("rect.track", { ...bar, width: 999 }),
        this.fillBar,
      );
      this.words = h("p");
      this.stopping = h("button.btn", { type: "button", onclick: stop }, "Stop");
      this.answer.replaceChildren(h("div.prog", null, this.bar, this.words, this.stopping));
    }
    this.fillBar.setAttribute("width", share * 999);
    this.bar.setAttribute("aria-valuenow", Math.round(share * 100));
    const rest = isSent
      ? "sent; the servers answer"
      : rate
        ? `${bytes(Math.round(rate))}/s, ${seconds(left)} left`
        : "";
    this.words.replaceChildren(`${bytes(loaded)} of ${bytes(total)}`, h("span", null, rest));
  }

  /** What the servers answered. */
  show({ id, runs, agreement, diffs }) {
    const run = runs[0] ?? {};
    const bad = !(run.status < 400);
    say(
      `${run.status ?? "no answer"} ${run.code ?? ""}; ${agreement === "equal" ? "the servers agree" : agreement === "different" ? "the servers differ" : ""}`,
    );
    this.answer.className = `answer${bad ? " bad" : ""}`;
    const link =
      id == null
        ? h("span.quiet", null, this.app.server?.history ? "" : "The history is off: its bytes are not kept.")
        : h("a.btn", { href: `#/wire/${id}` }, "See its bytes →");
    const chip = h(
      `span.chip${bad ? ".bad" : ""}`,
      null,
      `${bad ? "▲ " : ""}${run.status ?? "no answer"} ${run.code ?? ""}`,
    );
    const diff = diffs?.length
      ? differenceBox(
          diffs,
          runs.map((each) => each.backend),
        )
      : null;
    this.answer.replaceChildren(
      h("div.a-head", null, chip, pair(runs, agreement), h("span.grow"), link),
      ...[diff, answerOf(run, runs)].flat().filter(Boolean),
    );
    this.reveal();
  }

  /** On a small screen the answer stands below the whole form. */
  reveal() {
    if (narrow.matches) this.answer.scrollIntoView({ block: "start" });
  }

  async sendCase(name) {
    this.idle(`Sending ${name} …`);
    this.answer.scrollIntoView({ block: "nearest" });
    try {
      const options = {
        method: "POST",
        headers: this.form.to ? { "Wireproof-To": this.form.to.join(", ") } : {},
      };
      this.show(await (await call(`ui/send?case=${encodeURIComponent(name)}`, options)).json());
    } catch (error) {
      this.fail(error);
    }
  }
}

/** In code a line end is a line end. */
const newlines = (node) => (node instanceof Element && node.textContent === "\\n" ? "\n" : node);
