// Hono on Node.
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import answer from "./answer.cjs";

const app = new Hono();
app.post("/", async (context) => {
  const type = context.req.header("content-type") ?? "";
  if (type.startsWith("application/json")) return context.json(answer.told([], [], await context.req.json()));
  const [fields, files] = [[], []];
  for (const [name, value] of answer.pairs(await context.req.parseBody({ all: true }))) {
    if (typeof value === "string") fields.push([name, value]);
    else files.push(answer.file(name, value.name, value.type, Buffer.from(await value.arrayBuffer())));
  }
  return context.json(answer.told(fields, files));
});
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.argv[2]) });
