// got, on Node: URL KIND.
import { createReadStream, readFileSync } from "node:fs";
import { basename } from "node:path";
import got from "got";

const [url, kind] = process.argv.slice(2);
const { NOTE, PLAIN, ODD } = process.env;
if (kind === "chunked") {
  // got asks FormData for its length; a stream has none.
  await got.post(url, { form: { note: NOTE } });
  for (const path of [PLAIN, ODD])
    await got.put(url + encodeURIComponent(basename(path)), { body: createReadStream(path) });
} else {
  const form = new FormData();
  form.append("note", NOTE);
  form.append("plain", new Blob([readFileSync(PLAIN)], { type: "text/plain" }), basename(PLAIN));
  form.append("odd", new Blob([readFileSync(ODD)]), basename(ODD));
  await got.post(url, { body: form, headers: kind === "expect" ? { expect: "100-continue" } : {} });
}
