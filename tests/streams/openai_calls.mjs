// What the npm package openai makes of a server: node openai_calls.mjs URL KEY prints it as JSON.
// The same calls as in openai_calls.py, and the same report.

import OpenAI from "openai";

const MESSAGES = [
  { role: "system", content: "be an echo" },
  { role: "user", content: "echo this, word by word" },
];

const usageOf = (answer) =>
  answer.usage
    ? [answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens]
    : null;

async function streamed(client, more) {
  const request = { model: "echo", messages: MESSAGES, stream: true, ...more };
  const chunks = [];
  for await (const chunk of await client.chat.completions.create(request)) chunks.push(chunk);
  const choices = chunks.flatMap((chunk) => chunk.choices);
  return {
    role: choices[0].delta.role,
    contents: choices.slice(1, -1).map((choice) => choice.delta.content),
    finish_reason: choices.at(-1).finish_reason,
    ids: new Set(chunks.map((chunk) => chunk.id)).size,
    objects: [...new Set(chunks.map((chunk) => chunk.object))].sort(),
    usage: usageOf(chunks.at(-1)),
  };
}

// A stream whose chunks the server makes one by one, with the time of each word.
async function paced(client) {
  const start = performance.now();
  const request = { model: "echo", messages: MESSAGES, stream: true, delay: 0.05 };
  const arrivals = [];
  for await (const chunk of await client.chat.completions.create(request)) {
    arrivals.push([(performance.now() - start) / 1000, chunk.choices[0].delta.content]);
  }
  return arrivals.filter(([, content]) => content);
}

async function whole(client, messages) {
  const completion = await client.chat.completions.create({ model: "echo", messages });
  const choice = completion.choices[0];
  return {
    role: choice.message.role,
    content: choice.message.content,
    finish_reason: choice.finish_reason,
    object: completion.object,
    usage: usageOf(completion),
  };
}

async function streamEcho(client, url) {
  const start = performance.now();
  const body = { query: "echo this", delay: 0.1 };
  const events = [];
  for await (const event of await client.post(`${url}/stream_echo`, { body, stream: true })) {
    events.push([(performance.now() - start) / 1000, event.chunk]);
  }
  return events;
}

async function models(client) {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  return ids;
}

async function attempt(call) {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    return { raised: error.constructor.name, status: error.status, code: error.code };
  }
}

const [url, key] = process.argv.slice(2);
const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0, timeout: 30_000 });
const create = (request) => client.chat.completions.create({ model: "echo", ...request });
const report = {
  stream_echo: await attempt(() => streamEcho(client, url)),
  streamed: await attempt(() => streamed(client, {})),
  streamed_with_usage: await attempt(() => streamed(client, { stream_options: { include_usage: true } })),
  paced: await attempt(() => paced(client)),
  whole: await attempt(() => whole(client, MESSAGES)),
  only_a_system_message: await attempt(() => whole(client, MESSAGES.slice(0, 1))),
  models: await attempt(() => models(client)),
  model: await attempt(async () => (await client.models.retrieve("echo")).id),
  no_such_model: await attempt(() => client.models.retrieve("no-such-model")),
  refused_before_the_stream: await attempt(() => create({ messages: [], stream: true })),
  no_such_route: await attempt(() => client.get("/no-such-route")),
};
console.log(JSON.stringify(report));
