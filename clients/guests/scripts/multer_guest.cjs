// multer in Express, with the parser of Express for urlencoded forms and JSON.
const express = require("express");
const multer = require("multer");
const { file, pairs, told } = require("./answer.cjs");

const app = express();
app.use(express.json(), express.urlencoded({ extended: false }), multer().any());
app.post("/", (request, response) => {
  const files = (request.files ?? []).map((one) => file(one.fieldname, one.originalname, one.mimetype, one.buffer));
  const isJson = Boolean(request.is("json"));
  response.json(told(isJson ? [] : pairs(request.body), files, isJson ? request.body : null));
});
app.listen(Number(process.argv[2]), "127.0.0.1");
