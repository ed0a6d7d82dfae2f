// Node's clients: `client.mjs LIBRARY URL CALLS CA`. NODE_EXTRA_CA_CERTS names the authority.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import http from 'node:http';
import https from 'node:https';

const [library, url, calls] = process.argv.slice(2);
const require = createRequire(process.env.NODE_MODULES_AT + '/');

const send = {
  async fetch(target, headers, body) {
    const answer = await fetch(target, { method: 'POST', headers, body });
    return [answer.status, await answer.text()];
  },
  async undici(target, headers, body) {
    const answer = await require('undici').request(target, { method: 'POST', headers, body });
    return [answer.statusCode, await answer.body.text()];
  },
  async axios(target, headers, body) {
    const options = { headers, transformResponse: (text) => text, validateStatus: () => true };
    const answer = await require('axios').post(target, body, options);
    return [answer.status, answer.data];
  },
  http(target, headers, body) {
    const { request } = target.startsWith('https') ? https : http;
    return new Promise((resolve, reject) => {
      const call = request(target, { method: 'POST', headers }, (answer) => {
        const pieces = [];
        answer.on('data', (piece) => pieces.push(piece));
        answer.on('end', () => resolve([answer.statusCode, Buffer.concat(pieces).toString()]));
      });
      call.on('error', reject);
      call.end(body);
    });
  },
}[library];

for (const line of readFileSync(calls, 'utf8').trimEnd().split('\n')) {
  const [path, authorization, body] = line.split('\t');
  const headers = { 'Content-Type': 'application/json;charset=utf-8' };
  if (authorization !== '-') headers.Authorization = authorization;
  const [status, text] = await send(url + path, headers, body);
  console.log(`${status}\t${text.replaceAll('\n', ' ')}`);
}
process.exit(0);
