// A small application of Express with multer: node express_app.js PORT FAULT
const { createHash } = require("node:crypto");
const { PassThrough } = require("node:stream");
const express = require("express");
const multer = require("multer");

const [, , port, fault] = process.argv;
const app = express();

// What reads the body again, after a fault has changed it.
function replayed(request, body) {
  const stream = new PassThrough();
  Object.defineProperties(stream, {
    headers: { value: { ...request.headers, "content-length": String(body.length) } },
    method: { value: request.method },
  });
  delete stream.headers["transfer-encoding"];
  stream.end(body);
  return stream;
}

app.use(express.raw({ type: () => fault !== "", limit: "50mb" }));
app.use((request, response, next) => {
  if (fault === "") return next();
  const sent = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const text = sent.toString("latin1");
  if (fault === "a truncated body is an error of the server" && !text.trimEnd().endsWith("--")) return response.sendStatus(500);
  if (fault === "filename* is refused" && text.includes("filename*")) return response.sendStatus(400);
  const lf = fault === "LF is accepted as a line end";
  request.again = replayed(request, lf ? Buffer.from(text.replaceAll("\r\n", "\n").replaceAll("\n", "\r\n"), "latin1") : sent);
  request.again.body = undefined;
  return next();
});

const parsers = [express.urlencoded({ extended: false }), multer().any()];
app.post("/upload", (request, response, next) => {
  const source = request.again ?? request;
  const run = (at) => (error) => (error || at === parsers.length ? finish(error) : parsers[at](source, response, run(at + 1)));
  const finish = (error) => {
    if (error && fault !== "a malformed form is an empty form") return next(error);
    return response.json(answer(error ? [] : pairs(source.body ?? {}), error ? [] : source.files ?? []));
  };
  run(0)();
});

const pairs = (body) => Object.entries(body).flatMap(([name, value]) => [value].flat().map((each) => [name, each]));

function answer(fields, files) {
  if (fault === "the last field is dropped") fields = fields.slice(0, -1);
  if (fault === "only the last value of a name is kept") fields = [...new Map(fields)];
  if (fault === "values are stripped") fields = fields.map(([name, value]) => [name, typeof value === "string" ? value.trim() : value]);
  if (fault === "empty files are dropped") files = files.filter((file) => file.size);
  return { form: fields.map(([name, value]) => ({ name, value })), files: files.map(told) };
}

function told(file) {
  let [filename, type, data] = [file.originalname, file.mimetype, file.buffer];
  if (fault === "filenames are mangled") filename = filename.toUpperCase().replaceAll(" ", "_");
  if (fault === "the type of a part is lost") type = "application/octet-stream";
  if (fault === "the last byte of a file is cut") data = data.subarray(0, -1);
  if (fault === "a byte is added to a file") data = Buffer.concat([data, Buffer.from("\r")]);
  return { name: file.fieldname, filename, content_type: type, size: data.length, sha256: createHash("sha256").update(data).digest("hex") };
}

app.listen(Number(port), "127.0.0.1");
