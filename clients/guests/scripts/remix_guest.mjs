// Remix's parser: @remix-run/multipart-parser.
import { parseMultipartRequest } from "@remix-run/multipart-parser/node";
import answer from "./answer.cjs";

answer.serve(async (request) => {
  const [fields, files] = [[], []];
  for await (const part of parseMultipartRequest(request)) {
    if (part.isFile) files.push(answer.file(part.name, part.filename, part.mediaType, Buffer.from(part.bytes)));
    else fields.push([part.name, part.text]);
  }
  return answer.told(fields, files);
});
