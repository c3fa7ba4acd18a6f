// hapi: @hapi/pez behind its payload options.
const Hapi = require("@hapi/hapi");
const { file, pairs, told } = require("./answer.cjs");

const server = Hapi.server({ host: "127.0.0.1", port: Number(process.argv[2]) });
server.route({
  method: "POST",
  path: "/",
  options: { payload: { multipart: { output: "annotated" } } },
  handler: (request) => {
    if ((request.headers["content-type"] ?? "").startsWith("application/json")) return told([], [], request.payload);
    const [fields, files] = [[], []];
    for (const [name, value] of pairs(request.payload)) {
      if (value?.headers === undefined) fields.push([name, value]);
      else if (value.filename === undefined) fields.push([name, String(value.payload)]);
      else files.push(file(name, value.filename, value.headers["content-type"] ?? null, Buffer.from(value.payload)));
    }
    return told(fields, files);
  },
});
server.start();
