// node with_tus_js_client.mjs URL PATH
import { createReadStream } from "node:fs";
import * as tus from "tus-js-client";

const [url, path] = process.argv.slice(2);
const upload = new tus.Upload(createReadStream(path), {
  endpoint: url,
  metadata: { filename: "sent.bin", filetype: "application/octet-stream" },
  retryDelays: new Array(200).fill(50),
  onError: (error) => {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess: () => console.log(upload.url),
});
upload.start();
