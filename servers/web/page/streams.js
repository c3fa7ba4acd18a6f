// Streams: Server-Sent Events drawn while they come, beside what a client sees that waits for the whole body.
import { EventReader, address, call, told } from "./api.js";
import { bytes, choice, h, ms, num, plural, rect, say } from "./elements.js";
import { safe } from "./written.js";

const MOST_EVENTS = 300;
const MOST_RAW = 4000;
const TOO_FAST_MS = 5;
const kept = {
  kind: "echo",
  query: "Every byte has a reason.",
  model: "echo",
  message: "Each piece is one token of this message.",
  delay: "0.2",
};

/** What is sent. */
function requestOf(form) {
  const delay = Number(form.delay) || 0;
  if (form.kind === "echo") return ["stream_echo", { query: form.query, delay }];
  const messages = [{ role: "user", content: form.message }];
  return ["v1/chat/completions", { model: form.model, stream: true, messages, delay }];
}

/** The token of one event: of the echo a character, of a chat completion a delta. */
function tokenOf(data) {
  try {
    const value = JSON.parse(data);
    return value.chunk ?? value.choices?.[0]?.delta?.content ?? "";
  } catch {
    return "";
  }
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0;

/** One true sentence about the times at which the events came. Events of one piece have the same time. */
export function verdict(times, end, isWhole) {
  const events = plural(times.length, "event");
  if (!times.length) return "No event has come.";
  const pieces = [...new Set(times)];
  const gaps = pieces.slice(1).map((time, index) => time - pieces[index]);
  const spread = pieces.at(-1) - pieces[0];
  if (isWhole) {
    return `A pretended stream: ${events} at once after ${ms(end)}, because this client waited for the whole body.`;
  }
  if (times.length < 3) return `${events} in ${ms(end)}: too few to tell a stream from a body.`;
  if (end < TOO_FAST_MS * times.length) {
    return `${events} in ${ms(end)}: too fast to tell a stream from a body. Choose a pace.`;
  }
  if (spread < end * 0.1)
    return `Not a stream: ${events} came within ${ms(spread)}, after a wait of ${ms(times[0])}.`;
  const [what, each] =
    pieces.length < times.length
      ? [`${events} in ${plural(pieces.length, "piece")}`, "a piece"]
      : [events, "one"];
  const range = `${ms(Math.min(...gaps))} to ${ms(Math.max(...gaps))}`;
  return `A real stream: ${what}, ${each} every ${ms(median(gaps))} (${range}), the first after ${ms(times[0])}.`;
}

/** One reading of a stream, drawn while it runs. */
class Reading {
  constructor(title, isWhole) {
    this.isWhole = isWhole;
    this.times = [];
    this.size = 0;
    this.chunks = 0;
    this.axis = h("svg.beat", {
      viewBox: "0 0 1000 28",
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": "When each event came",
    });
    this.sentence = h("p.verdict", { role: "status" }, "Nothing has come yet.");
    this.tokens = h("p.tokens");
    this.list = h("ol.events", { tabindex: 0, "aria-label": "Events" });
    this.raw = h("pre.code", { tabindex: 0, "aria-label": "The bytes of each chunk" });
    this.facts = h("small");
    const raw = h("details.raw", { open: true }, h("summary", null, "The bytes of each chunk"), this.raw);
    this.element = h(
      "section.reading",
      { "aria-label": title },
      h("h2", null, title, this.facts),
      this.sentence,
      this.axis,
      this.tokens,
      this.list,
      raw,
    );
  }

  chunk(data, at, reader, decoder) {
    this.chunks++;
    this.size += data.length;
    const text = decoder.decode(data, { stream: true });
    if (this.raw.childElementCount < MOST_EVENTS) {
      this.raw.append(
        h("span.at", null, `${ms(at)}  ${num(data.length)} bytes`),
        "\n",
        ...safe(text.slice(0, MOST_RAW)).map(newlines),
        "\n",
      );
    }
    for (const event of reader.feed(text)) if (!event.isEmpty) this.event(event, at);
    this.draw(at);
  }

  event(event, at) {
    const gap = this.times.length ? at - this.times.at(-1) : at;
    this.times.push(at);
    const token = tokenOf(event.data);
    this.tokens.append(...safe(token));
    if (this.times.length > MOST_EVENTS) return;
    this.list.append(
      h(
        "li",
        null,
        h("span.ms", null, ms(at)),
        h("span.gap", null, `+${ms(gap)}`),
        h("span", null, safe(event.data.slice(0, 200))),
      ),
    );
    this.list.scrollTop = this.list.scrollHeight;
  }

  /** The axis, to scale: an event is a bar at its time. */
  draw(end) {
    const scale = 996 / Math.max(end, 1);
    this.axis.replaceChildren(
      rect("axis", 0, 25, 1000, 1),
      ...this.times.slice(-2000).map((time) => rect("ev", time * scale, 3, 4, 22)),
    );
    this.facts.textContent = `${plural(this.times.length, "event")} · ${plural(this.chunks, "chunk")} · ${bytes(this.size)}`;
    this.end = end;
  }

  finish() {
    this.sentence.textContent = verdict(this.times, this.end ?? 0, this.isWhole);
    this.axis.setAttribute("aria-label", this.sentence.textContent);
    this.sentence.classList.toggle("bad", this.isWhole || this.sentence.textContent.startsWith("Not"));
    say(this.sentence.textContent);
  }
}

const newlines = (node) => (node instanceof Element && node.textContent === "\\n" ? "\n" : node);

async function read(path, body, reading, signal) {
  const began = performance.now();
  const options = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  };
  const response = await call(path, options);
  const [events, decoder] = [new EventReader(), new TextDecoder()];
  if (reading.isWhole) {
    reading.sentence.textContent = "This client waits for the whole body …";
    const data = new Uint8Array(await response.arrayBuffer());
    reading.chunk(data, performance.now() - began, events, decoder);
  } else {
    const reader = response.body.getReader();
    reading.sentence.textContent = "Events are coming.";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      reading.chunk(value, performance.now() - began, events, decoder);
    }
  }
  reading.draw(performance.now() - began);
  reading.finish();
}

export class StreamsScreen {
  constructor(app, main) {
    this.app = app;
    this.main = main;
    this.form = kept;
  }

  open() {
    document.title = "Streams · wireproof";
    this.fields = h("div.fields");
    this.sides = h("div.sides", null, this.emptySide());
    this.again = h("button.btn.primary", { type: "submit" }, "Stream");
    this.badly = h("button.btn", { type: "button", onclick: () => this.run(true) }, "Read it badly");
    this.stopping = h(
      "button.btn.plain",
      { type: "button", hidden: true, onclick: () => this.abort?.abort() },
      "Stop",
    );
    const kinds = choice(
      "Stream",
      [
        ["echo", "/stream_echo"],
        ["chat", "/v1/chat/completions"],
      ],
      this.form.kind,
      (kind) => {
        this.form.kind = kind;
        this.drawFields();
      },
    );
    const form = h(
      "form.stream-form",
      { "aria-label": "What is sent", onsubmit: (event) => (event.preventDefault(), this.run(false)) },
      kinds,
      this.fields,
      h("div.act", null, this.again, this.badly, this.stopping),
    );
    const lede = h(
      "h1.lede",
      null,
      "Streams. ",
      h("span.soft", null, "An event is drawn when it comes, not when the answer is complete."),
    );
    this.main.replaceChildren(h("div.page", null, lede, form, this.sides));
    this.drawFields();
  }

  close() {
    this.abort?.abort();
  }

  emptySide() {
    const entry = (name, text) => [h("h2", null, name), h("p", null, text)];
    return h(
      "div.empty",
      null,
      entry("Stream", "takes each piece when it comes, and draws it at its time."),
      entry(
        "Read it badly",
        "sends the same request twice, to two readers. One takes each piece when it comes.",
      ),
      h(
        "p",
        null,
        "The other waits for the whole body, as a client without streaming does: nothing, and then all at once.",
      ),
      h("pre", null, `curl -N --json '{"query": "abc", "delay": 0.3}' ${address()}/stream_echo`),
    );
  }

  drawFields() {
    const input = (key, label, extra = {}) =>
      h(
        "label",
        { class: `f-${key}` },
        label,
        h("input.mono", {
          value: this.form[key],
          spellcheck: "false",
          ...extra,
          oninput: (event) => (this.form[key] = event.target.value),
        }),
      );
    const pace = input("delay", "Seconds between events", { type: "number", min: 0, max: 5, step: 0.05 });
    const own =
      this.form.kind === "echo"
        ? [input("query", "Text, an event for each character")]
        : [input("message", "Message, an event for each token"), input("model", "Model")];
    this.fields.replaceChildren(...own, pace);
  }

  async run(badly) {
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    const [path, body] = requestOf(this.form);
    const readings = [
      new Reading("Read as it comes", false),
      ...(badly ? [new Reading("Read badly: the whole body first", true)] : []),
    ];
    this.sides.className = `sides${badly ? " two" : ""}`;
    this.sides.replaceChildren(...readings.map((reading) => reading.element));
    this.stopping.hidden = false;
    await Promise.all(readings.map((reading) => this.follow(path, body, reading, abort.signal)));
    if (this.abort === abort) this.stopping.hidden = true;
  }

  async follow(path, body, reading, signal) {
    try {
      await read(path, body, reading, signal);
    } catch (error) {
      if (signal.aborted) reading.sentence.textContent = "Stopped.";
      else reading.sentence.replaceChildren(told(error));
    }
  }
}
