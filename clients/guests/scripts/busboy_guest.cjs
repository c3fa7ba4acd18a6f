// busboy, or @fastify/busboy: node busboy_guest.cjs PORT PACKAGE
const { bytes, file, serve, told } = require("./answer.cjs");
const busboy = require(process.argv[3]);

serve((request) => new Promise((resolve, reject) => {
  const [fields, files] = [[], []];
  const parser = busboy({ headers: request.headers });
  parser.on("field", (name, value) => fields.push([name, value]));
  parser.on("file", (name, stream, info, ...older) => {
    const [filename, type] = typeof info === "object" ? [info.filename, info.mimeType] : [info, older[1]];
    files.push(bytes(stream).then((data) => file(name, filename, type, data)));
  });
  parser.on("error", reject);
  const done = () => Promise.all(files).then((read) => resolve(told(fields, read)), reject);
  parser.on("close", done).on("finish", done);
  request.pipe(parser);
}));
