// Node's own fetch (undici): Response.formData().
const { bytes, file, serve, told } = require("./answer.cjs");

serve(async (request) => {
  const type = request.headers["content-type"] ?? "";
  const response = new Response(await bytes(request), { headers: { "content-type": Buffer.from(type, "latin1").toString("latin1") } });
  if (type.startsWith("application/json")) return told([], [], await response.json());
  const [fields, files] = [[], []];
  for (const [name, value] of await response.formData()) {
    if (typeof value === "string") fields.push([name, value]);
    else files.push(file(name, value.name, value.type, Buffer.from(await value.arrayBuffer())));
  }
  return told(fields, files);
});
