// A route of Express with multer that tells what it read.
const { createHash } = require("node:crypto");
const [express, multer] = [require("express"), require("multer")];

const told = (file) => ({
  name: file.fieldname, filename: file.originalname, content_type: file.mimetype,
  size: file.size, sha256: createHash("sha256").update(file.buffer).digest("hex"),
});
const app = express();
app.use(express.urlencoded({ extended: false }), multer().any());
app.post("/upload", (request, response) => {
  response.json({ form: request.body ?? {}, files: (request.files ?? []).map(told), args: request.query });
});
app.listen(process.argv[2] ?? 8000, "127.0.0.1");
