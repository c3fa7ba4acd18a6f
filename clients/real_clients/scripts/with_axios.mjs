// axios with form-data, on Node: URL KIND.
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { PassThrough } from "node:stream";
import axios from "axios";
import FormData from "form-data";

const [url, kind] = process.argv.slice(2);
const { NOTE, PLAIN, ODD } = process.env;
// A stream that is not read from a file has no length that form-data could ask for.
const stream = (path) => (kind === "chunked" ? createReadStream(path).pipe(new PassThrough()) : createReadStream(path));
const form = new FormData();
form.append("note", NOTE);
form.append("plain", stream(PLAIN), kind === "chunked" ? basename(PLAIN) : undefined);
form.append("odd", stream(ODD), kind === "chunked" ? basename(ODD) : undefined);
await axios.post(url, form, { headers: kind === "expect" ? { Expect: "100-continue" } : {} });
