// The spans of a request, by pages: only a few pages are in memory, whatever the length of the request.
const MOST_PAGES = 4;
export const PAGE = 2000;

/** One page: `spans` in order of their offsets, found by offset or by the path of a value. */
export class SpanPage {
  constructor(from, answer) {
    const { roles, paths, rules } = answer;
    this.from = from;
    this.spans = answer.spans.map(([at, length, role, path, rule, also]) => {
      return {
        at,
        length,
        end: at + length,
        role: roles[role],
        path: paths[path] ?? "",
        rule: rules[rule] ?? "",
        also: paths[also ?? 0] ?? "",
      };
    });
    this.end = this.spans.at(-1)?.end ?? from;
    this.starts = this.spans.map((span) => span.at);
  }

  /** The index of the span that holds this offset; the nearest one for an offset outside of the page. */
  index(offset) {
    let [low, high] = [0, this.spans.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  at(offset) {
    return this.spans[this.index(offset)];
  }

  holds(offset) {
    return this.spans.length > 0 && offset >= this.spans[0].at && offset < this.end;
  }
}

/** Whether the bytes of value `inner` belong to value `outer` of the result. */
export function within(inner, outer) {
  if (!inner || !outer) return false;
  if (inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`)) return true;
  return outer === "target" && (inner === "path" || inner.startsWith("args["));
}

/** The first span of a value; a part of the value if none is exactly its own. */
export function spanOfPath(page, path) {
  const own = path === "target" ? undefined : page.spans.find((span) => span.path === path);
  return own ?? page.spans.find((span) => within(span.path, path) || within(span.also, path));
}

/** The pages that `load(from)` gives. `total` is the number of bytes that spans cover. */
export class SpanPages {
  constructor(total, load) {
    this.total = total;
    this.load = load;
    this.pages = new Map();
  }

  /** The page that begins with the span at this offset. */
  async page(from) {
    if (!this.pages.has(from))
      this.pages.set(
        from,
        this.load(from).then((answer) => new SpanPage(from, answer)),
      );
    const found = this.pages.get(from);
    this.pages.delete(from);
    this.pages.set(from, found); // the last used stands last
    while (this.pages.size > MOST_PAGES) this.pages.delete(this.pages.keys().next().value);
    try {
      return await found;
    } catch (error) {
      this.pages.delete(from);
      throw error;
    }
  }

  /** The page with a span of this value, looked for from the beginning, or null. */
  async pageOf(path) {
    for (let from = 0; from < this.total;) {
      const page = await this.page(from);
      if (spanOfPath(page, path)) return page;
      if (page.end <= from) return null;
      from = page.end;
    }
    return null;
  }
}
