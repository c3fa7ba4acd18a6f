// formidable.
const { readFileSync } = require("node:fs");
const { file, pairs, serve, told } = require("./answer.cjs");

serve(async (request) => {
  const { formidable } = await import("formidable");
  const [fields, files] = await formidable({ allowEmptyFiles: true, minFileSize: 0 }).parse(request);
  const read = pairs(files).map(([name, one]) => file(name, one.originalFilename, one.mimetype, readFileSync(one.filepath)));
  return told(pairs(fields), read);
});
