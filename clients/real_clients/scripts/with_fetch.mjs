// fetch and FormData of Node, Bun and Deno: URL KIND.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import process from "node:process";

const [url, kind] = process.argv.slice(2);
const { NOTE, PLAIN, ODD } = process.env;
const form = new FormData();
form.append("note", NOTE);
form.append("plain", new Blob([readFileSync(PLAIN)], { type: "text/plain" }), basename(PLAIN));
form.append("odd", new Blob([readFileSync(ODD)]), basename(ODD));

let options = { method: "POST", body: form };
if (kind === "chunked") {
  // A stream has no length; the multipart stays the runtime's own.
  const encoded = new Response(form);
  const headers = { "content-type": encoded.headers.get("content-type") }; // Bun has it before the body is asked for
  const body = encoded.body.pipeThrough(new TransformStream()); // Bun knows the length of encoded.body itself
  options = { method: "POST", body, duplex: "half", headers };
}
if (kind === "expect") options.headers = { expect: "100-continue" };
const response = await fetch(url, options);
const answer = await response.text();
if (!response.ok) throw new Error(`${response.status} ${answer}`);
