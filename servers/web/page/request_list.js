// The list of requests without its looks: which ids there are, and the rows of those in sight.
//
// All ids are kept, which are numbers; rows are kept for the last ones that were in sight, and asked for again.
import { json } from "./api.js";

const ROWS = 80;
const MOST_ROWS = 480;
const MOST_A_SECOND = 50;
const MOST_AT_ONCE = 500;
const RETRY_MS = 2000;

export class RequestList {
  constructor(changed) {
    this.changed = changed;
    this.filter = "";
    this.only = "all";
    this.held = false;
    this.crowded = -Infinity;
    this.reset();
  }

  reset() {
    this.ids = [];
    this.rows = new Map();
    this.waiting = [];
    this.missed = 0;
    this.total ??= 0;
    this.counts ??= { equal: 0, different: 0, one: 0, refused: 0, forms: 0 };
    this.lost = 0;
    this.isComplete = false;
    this.arrivals = [];
    this.loading = null; // the answer to any other request for rows is not taken
  }

  /** The first rows, and the counts. Raises ApiError. */
  async load() {
    this.reset();
    await this.ask(null, ROWS, (page) => this.append(page.requests));
  }

  /** Ask for rows, and use the answer unless something newer was asked for. Raises ApiError. */
  async ask(before, limit, use) {
    const mine = (this.loading = {});
    try {
      const page = await json(this.path(before, limit));
      if (this.loading !== mine) return;
      this.take(page);
      use(page);
    } finally {
      if (this.loading === mine) this.loading = null;
    }
  }

  path(before, limit = ROWS) {
    const query = new URLSearchParams({ limit });
    if (before !== null) query.set("before", before);
    if (this.filter) query.set("q", this.filter);
    if (this.only !== "all") query.set("only", this.only);
    return `requests/?${query}`;
  }

  take(page) {
    this.total = page.total;
    this.counts = page.counts;
    this.lost = page.lost ?? 0;
  }

  append(rows, limit = ROWS) {
    for (const row of rows) {
      if (this.ids.length && row.id >= this.ids.at(-1)) continue;
      this.ids.push(row.id);
      this.keep(row);
    }
    this.isComplete = rows.length < limit;
    this.changed();
  }

  keep(row) {
    this.rows.delete(row.id);
    this.rows.set(row.id, row);
    while (this.rows.size > MOST_ROWS) this.rows.delete(this.rows.keys().next().value);
  }

  /** Whether the list has every request, without a filter. */
  get isWhole() {
    return !this.filter && this.only === "all";
  }

  /** How many rows the list has; an estimate while its end is not known. */
  get length() {
    if (this.isComplete) return this.ids.length;
    return this.isWhole ? Math.max(this.ids.length, this.total) : this.ids.length + 1;
  }

  /** The rows at these positions; null for one that is being loaded. */
  window(from, to) {
    const shown = [];
    for (let at = from; at < Math.min(to, this.length); at++) {
      const row = this.rows.get(this.ids[at]) ?? null;
      if (row) this.keep(row);
      shown.push(row);
    }
    if (shown.includes(null)) this.fetch(from + shown.indexOf(null));
    return shown;
  }

  /** Load the rows from this position on, and all ids before it that are not known. */
  async fetch(position) {
    if (this.loading || (position >= this.ids.length && this.isComplete)) return;
    const id = this.ids[position];
    const before = id === undefined ? (this.ids.at(-1) ?? null) : id + 1;
    const limit = position > this.ids.length + ROWS ? MOST_AT_ONCE : ROWS; // far away: walk there in long steps
    try {
      if (before === null) await this.load();
      else if (id === undefined) await this.ask(before, limit, (page) => this.append(page.requests, limit));
      else await this.ask(before, limit, (page) => this.renew(page.requests, position));
    } catch {
      // The events tell when the server is away; the rows are asked for again when they come into sight.
      const wait = (this.loading = {});
      await new Promise((done) => setTimeout(done, RETRY_MS));
      if (this.loading === wait) this.loading = null;
      this.changed();
    }
  }

  /** Rows whose ids are known. */
  renew(rows, position) {
    for (const row of rows) this.keep(row);
    if (rows[0]?.id !== this.ids[position]) this.ids.splice(position, 1); // it is gone
    this.changed();
  }

  matches(row) {
    if (this.only === "forms" && !["form", "multipart"].includes(row.kind)) return false;
    if (this.only === "refused" && !row.runs.some((run) => run.status >= 400)) return false;
    if (this.only === "differ" && row.agreement !== "different") return false;
    const words = [
      row.method,
      row.target,
      row.kind,
      row.agent,
      ...row.runs.flatMap((run) => [run.status, run.code]),
    ];
    return words.join(" ").toLowerCase().includes(this.filter.toLowerCase());
  }

  /** Whether new rows have to wait: the reader holds the list, or they are too many to be read. */
  isHeld() {
    const now = performance.now();
    this.arrivals = this.arrivals.filter((at) => now - at < 1000);
    return this.held || now - this.crowded < 1000 || this.arrivals.length > MOST_A_SECOND;
  }

  /** How many requests are not in the list yet: those that wait, and those that were only counted. */
  get fresh() {
    return this.waiting.length + this.missed;
  }

  /** Requests that came too fast: the server tells only how many. Their rows are asked for with the next load. */
  count(many) {
    this.missed += many;
    this.crowded = performance.now();
  }

  /** Apply events, [name, data] each. */
  apply(events) {
    for (const [name, data] of events) {
      if (name === "request") this.arrive(data);
      else if (name === "progress") this.progress(data);
      else if (name === "count") this.count(data.new);
      else if (name === "gone") this.forget(data.before);
    }
    this.changed();
  }

  arrive(row) {
    if (this.ids.includes(row.id)) {
      this.keep(row);
    } else if (this.waiting.some((each) => each === row.id)) {
      return;
    } else if (this.matches(row) && (this.ids.length === 0 || row.id > this.ids[0])) {
      this.arrivals.push(performance.now());
      if (this.isHeld() || this.missed) this.waiting.push(row.id);
      else {
        this.keep(row);
        this.ids.unshift(row.id);
      }
    }
  }

  progress({ id, received, rate }) {
    const row = this.rows.get(id);
    if (row)
      this.rows.set(id, { ...row, arriving: { ...(row.arriving ?? { expected: null }), received, rate } });
  }

  forget(before) {
    while (this.ids.length && this.ids.at(-1) < before) this.rows.delete(this.ids.pop());
    this.waiting = this.waiting.filter((id) => id >= before);
    if (!this.ids.length) this.isComplete = false; // new ones may be there
  }

  /** Let the rows that wait into the list. When some were only counted, it has to be loaded instead. */
  release() {
    const fresh = this.waiting.filter((id) => id > (this.ids[0] ?? 0)).sort((a, b) => b - a);
    this.ids = [...fresh, ...this.ids];
    this.waiting = [];
    this.changed();
  }

  /** The counts and the total, as the server knows them now. */
  async recount() {
    try {
      this.take(await json("requests/?limit=1"));
      this.changed();
    } catch {
      // The next event asks again.
    }
  }
}
