// multiparty.
const { readFileSync } = require("node:fs");
const multiparty = require("multiparty");
const { file, pairs, serve, told } = require("./answer.cjs");

serve((request) => new Promise((resolve, reject) => {
  new multiparty.Form().parse(request, (error, fields, files) => {
    if (error) return reject(error);
    const read = pairs(files).map(([name, one]) => file(name, one.originalFilename, one.headers["content-type"] ?? null, readFileSync(one.path)));
    return resolve(told(pairs(fields), read));
  });
}));
