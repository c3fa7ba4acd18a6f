// The request that Send makes: its body as one Blob, its head, and the same as curl and as requests code.
//
// A Blob refers to the files on disk: nothing of them is read before it is sent, and these very bytes can be saved.
import { address, hasToken } from "./api.js";
import { encoder } from "./written.js";

export const KINDS = [
  ["multipart", "Form with files"],
  ["form", "Urlencoded"],
  ["json", "JSON"],
  ["text", "Text"],
  ["bytes", "Raw file"],
  ["none", "None"],
];
export const METHODS = ["POST", "PUT", "PATCH", "GET", "DELETE", "OPTIONS", "HEAD"];
const WITH_LENGTH = new Set(["POST", "PUT", "PATCH"]);
const BINARY = "application/octet-stream";

export function emptyForm() {
  return {
    method: "POST",
    target: "/upload/",
    kind: "multipart",
    fields: [["a", "123"]],
    files: [],
    query: [],
    headers: [],
    json: '{"a": ["abc", "def", {"bec": 1}]}',
    text: "hello\n",
    boundary: newBoundary(),
    to: null,
    tab: "curl",
  };
}

export function newBoundary() {
  const random = crypto.getRandomValues(new Uint8Array(12));
  return `----wireproof-${[...random].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** A name in a part header, as browsers and curl write it. */
const quoted = (name) => `"${name.replace(/\r\n|\r|\n/g, "%0D%0A").replace(/"/g, "%22")}"`;
const lines = (text) => text.replace(/\r\n|\r|\n/g, "\r\n");

export function queryOf(form) {
  const pairs = form.query.filter(([name]) => name);
  if (!pairs.length) return "";
  return (form.target.includes("?") ? "&" : "?") + new URLSearchParams(pairs);
}

export const targetOf = (form) => form.target + queryOf(form);
export const headersOf = (form) => form.headers.filter(([name]) => name);

/** The parts of a form: [header lines, content], content a string or a File. */
function partsOf(form) {
  const field = ([name, value]) => [[`Content-Disposition: form-data; name=${quoted(name)}`], lines(value)];
  const file = ({ name, file: content, path, type }) => [
    [
      `Content-Disposition: form-data; name=${quoted(name)}; filename=${quoted(path)}`,
      `Content-Type: ${type || BINARY}`,
    ],
    content,
  ];
  return [...form.fields.map(field), ...form.files.map(file)];
}

function multipartPieces(form) {
  const pieces = [];
  for (const [headers, content] of partsOf(form))
    pieces.push(`--${form.boundary}\r\n${headers.join("\r\n")}\r\n\r\n`, content, "\r\n");
  pieces.push(`--${form.boundary}--\r\n`);
  return pieces;
}

/** The Content-Type and the pieces of the body: strings and Files in their order. */
export function contentOf(form) {
  if (form.kind === "multipart")
    return [`multipart/form-data; boundary=${form.boundary}`, multipartPieces(form)];
  if (form.kind === "form")
    return ["application/x-www-form-urlencoded", [new URLSearchParams(form.fields).toString()]];
  if (form.kind === "json") return ["application/json", [form.json]];
  if (form.kind === "text") return ["text/plain; charset=utf-8", [form.text]];
  if (form.kind === "bytes" && form.files.length) return [form.files[0].type || BINARY, [form.files[0].file]];
  return [null, []];
}

export const bodyOf = (form) => new Blob(contentOf(form)[1]);

/** The head as the server that serves the page makes it: the same for every server that gets the request. */
export function headOf(form, size = bodyOf(form).size) {
  const [type] = contentOf(form);
  const head = [`${form.method} ${targetOf(form)} HTTP/1.1`, `Host: ${location.host}`];
  if (hasToken()) head.push("Authorization: Bearer ***");
  if (type) head.push(`Content-Type: ${type}`);
  if (size || WITH_LENGTH.has(form.method)) head.push(`Content-Length: ${size}`);
  return [...head, ...headersOf(form).map(([name, value]) => `${name}: ${value}`)];
}

/** The whole request as bytes: the head and the very body. */
export function rawOf(form) {
  const body = bodyOf(form);
  return new Blob([`${headOf(form, body.size).join("\r\n")}\r\n\r\n`, body]);
}

/** Each byte of a text as one character: the value of a header field is bytes. */
const asBytes = (text) => String.fromCharCode(...encoder.encode(text));
const asAscii = (text) =>
  text.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** The fields that tell `/ui/send` what to send, and where to. */
export function instructionsOf(form) {
  const [type] = contentOf(form);
  const fields = {
    "Wireproof-Method": form.method,
    "Wireproof-Target": asBytes(targetOf(form)),
    "Wireproof-Fields": asAscii(JSON.stringify(headersOf(form))),
  };
  if (type) fields["Content-Type"] = asBytes(type);
  if (hasToken()) fields["Wireproof-Token"] = "pass";
  if (form.to) fields["Wireproof-To"] = form.to.join(", ");
  return fields;
}

const shell = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`);
const inCurl = (text) => `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;
const python = (text) => JSON.stringify(text);

/** The request as a curl line. Fields are `--form-string`, because `-F` reads more into a value. */
export function curlOf(form) {
  const parts = ["curl"];
  const hasBody = form.kind !== "none";
  if (form.method === "HEAD") parts.push("-I");
  else if (form.method !== (hasBody ? "POST" : "GET")) parts.push(`-X ${form.method}`);
  for (const [name, value] of headersOf(form)) parts.push(`-H ${shell(`${name}: ${value}`)}`);
  if (form.kind === "multipart") {
    for (const [name, value] of form.fields) parts.push(`--form-string ${shell(`${name}=${lines(value)}`)}`);
    for (const { name, path, file, type } of form.files) {
      const sent = `;type=${type || BINARY}${path === file.name ? "" : `;filename=${inCurl(path)}`}`;
      parts.push(`-F ${shell(`${name}=@${inCurl(path)}${sent}`)}`);
    }
    if (!form.fields.length && !form.files.length)
      parts.push(
        `-H ${shell(`Content-Type: ${contentOf(form)[0]}`)}`,
        `--data-binary ${shell(`--${form.boundary}--\r\n`)}`,
      );
  } else if (hasBody) {
    const [type, pieces] = contentOf(form);
    const file = form.kind === "bytes";
    parts.push(`-H ${shell(`Content-Type: ${type ?? BINARY}`)}`);
    parts.push(
      file ? `--data-binary ${shell(`@${form.files[0]?.path ?? "FILE"}`)}` : `--data-raw ${shell(pieces[0])}`,
    );
  }
  return [...parts, shell(address() + targetOf(form))].join(" \\\n  ");
}

/** The request as code for `requests`. Every entry of `files` is a part, so the order is the same. */
export function requestsOf(form) {
  const given = [python(form.method), python(address() + targetOf(form))];
  const [type] = contentOf(form);
  const headers = headersOf(form);
  if (type && form.kind !== "multipart") headers.push(["Content-Type", type]);
  if (headers.length)
    given.push(`headers={${headers.map(([name, value]) => `${python(name)}: ${python(value)}`).join(", ")}}`);
  if (form.kind === "multipart") {
    const fields = form.fields.map(([name, value]) => `(${python(name)}, (None, ${python(lines(value))}))`);
    const files = form.files.map(
      ({ name, path, type: each }) =>
        `(${python(name)}, (${python(path)}, open(${python(path)}, "rb"), ${python(each || BINARY)}))`,
    );
    given.push(`files=[\n        ${[...fields, ...files].join(",\n        ")},\n    ]`);
  } else if (form.kind === "bytes") given.push(`data=open(${python(form.files[0]?.path ?? "FILE")}, "rb")`);
  else if (form.kind !== "none") given.push(`data=${python(contentOf(form)[1][0])}.encode()`);
  return `import requests\n\nrequests.request(\n    ${given.join(",\n    ")},\n)`;
}
