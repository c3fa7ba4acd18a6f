// How the Node guests answer: fields and files in order, as JSON.
const { createHash } = require("node:crypto");
const { createServer } = require("node:http");

const file = (name, filename, type, data) => ({
  name, filename, content_type: type, size: data.length, sha256: createHash("sha256").update(data).digest("hex"),
});

// The pairs of an object whose values are one or several.
const pairs = (fields) => Object.entries(fields ?? {}).flatMap(([name, values]) => [values].flat().map((value) => [name, value]));

const told = (fields, files, json = null) => ({ form: fields.map(([name, value]) => ({ name, value })), files, json });

// Serve a function that makes the answer of a request; what it throws is a 400.
function serve(read) {
  createServer(async (request, response) => {
    let [status, body] = [200, null];
    try {
      body = await read(request);
    } catch (error) {
      [status, body] = [400, { error: String(error?.message ?? error) }];
    }
    response.writeHead(status, { "content-type": "application/json", connection: "close" });
    response.end(JSON.stringify(body));
    request.resume();
  }).listen(Number(process.argv[2]), "127.0.0.1");
}

// The bytes of a stream.
async function bytes(stream) {
  const blocks = [];
  for await (const block of stream) blocks.push(block);
  return Buffer.concat(blocks);
}

module.exports = { bytes, file, pairs, serve, told };
