// The reference server for Node.js (@tus/server) on a free port of 127.0.0.1: node tus_server.mjs FOLDER
import { createServer } from "node:http";
import { mkdirSync } from "node:fs";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
const tus = new Server({
  path: "/files",
  datastore: new FileStore({ directory: folder }),
  namingFunction: (_request, metadata) => `${metadata?.filename ?? "unnamed"}-${Math.random().toString(36).slice(2)}`,
});
const server = createServer((request, response) => tus.handle(request, response));
server.listen(Number(process.argv[3] ?? 0), "127.0.0.1", () => console.log(server.address().port));
