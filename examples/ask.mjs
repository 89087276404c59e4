// Asks a running example what its ask.json says, and exits with 1 at the first answer that is not as written.
//     node examples/ask.mjs NAME[/APP] [URL]      (README.md beside this file describes ask.json)

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PATIENCE_MILLISECONDS = 15_000;

const [name, given] = process.argv.slice(2);
if (!name) {
  console.error('usage: node examples/ask.mjs NAME[/APP] [URL]');
  process.exit(2);
}
const [example, app] = name.split('/');
const said = JSON.parse(readFileSync(join(import.meta.dirname, example, 'ask.json'), 'utf8'));
if (said.apps && !said.apps[app]) {
  console.error(`name one of its apps: ${Object.keys(said.apps).map((app) => `${example}/${app}`).join(', ')}`);
  process.exit(2);
}
const { port, requests } = said.apps?.[app] ?? said;
const base = given ?? `http://127.0.0.1:${port}`;
const kept = {};

/** `{NAME}` stands for the id that an earlier answer was kept under. */
function fill(text) {
  return text?.replace(/\{(\w+)\}/g, (whole, key) => kept[key] ?? whole);
}

async function answerTo({ method = 'GET', port, path, headers, body }) {
  const url = new URL(base + fill(path));
  url.port = port ?? url.port;
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    try {
      const response = await fetch(url, { method, headers, body, redirect: 'manual' });
      return { response, text: await response.text() };
    } catch (error) {
      // It may still be starting.
      if (Date.now() > deadline) {
        console.error(`no answer from ${url}: ${error.cause?.message ?? error.message}`);
        process.exit(1);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function* complaints(request, response, text) {
  if (response.status !== request.status) yield `status ${response.status}, not ${request.status}`;
  for (const part of [request.contains ?? []].flat()) {
    if (!text.includes(fill(part))) yield `the body lacks ${fill(part)}`;
  }
  for (const [header, part] of Object.entries(request.header ?? {})) {
    if (!response.headers.get(header)?.includes(part)) yield `${header} is ${response.headers.get(header)}, not ${part}`;
  }
}

for (const request of requests) {
  const { response, text } = await answerTo(request);
  const wrong = [...complaints(request, response, text)];
  console.log(`${wrong.length ? 'no' : 'ok'}  ${request.method ?? 'GET'} ${fill(request.path)}  ${wrong.join('; ')}`);
  if (wrong.length) {
    console.log(text.slice(0, 2000));
    process.exit(1);
  }
  if (request.keep) kept[request.keep] = JSON.parse(text).id;
}
