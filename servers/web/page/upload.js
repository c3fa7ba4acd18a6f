// Sends the body of a form, and tells how far it is. XMLHttpRequest, because fetch tells no progress of an upload.
import { ApiError, askForToken, headers, url } from "./api.js";

const RATE_MS = 2000;

/** How fast it is, over the last two seconds. */
export class Pace {
  constructor() {
    this.marks = [[performance.now(), 0]];
  }

  at(loaded, total) {
    const now = performance.now();
    this.marks.push([now, loaded]);
    while (this.marks.length > 2 && now - this.marks[0][0] > RATE_MS) this.marks.shift();
    const [then, before] = this.marks[0];
    const rate = now > then ? ((loaded - before) / (now - then)) * 1000 : 0;
    return { loaded, total, rate, left: rate ? (total - loaded) / rate : Infinity };
  }
}

/** An upload that is under way: `done` is its answer as JSON, `stop` ends it. `done` is null after `stop`. */
export function upload(path, fields, body, onProgress) {
  let request;
  let isStopped = false;
  const once = () =>
    new Promise((resolve, reject) => {
      request = new XMLHttpRequest();
      const pace = new Pace();
      request.open("POST", url(path));
      request.responseType = "text";
      for (const [name, value] of Object.entries({ ...fields, ...headers() }))
        request.setRequestHeader(name, value);
      request.upload.onprogress = (event) =>
        onProgress(pace.at(event.loaded, event.lengthComputable ? event.total : body.size));
      request.onload = () => resolve([request.status, request.responseText]);
      request.onabort = () => resolve([null, ""]);
      request.onerror = () =>
        reject(new ApiError(0, { title: "The server does not answer, or has closed the connection" }));
      request.send(body.size ? body : null);
    });
  const answer = async () => {
    for (let again = false; ; again = true) {
      const [status, text] = await once();
      if (isStopped || status === null) return null;
      const value = parsed(text);
      if (status < 400) return value;
      if (status !== 401 || !(await askForToken(again))) throw new ApiError(status, value);
    }
  };
  return {
    done: answer(),
    stop: () => {
      isStopped = true;
      request.abort();
    },
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { title: "The answer is not JSON", detail: text.slice(0, 200) };
  }
}
