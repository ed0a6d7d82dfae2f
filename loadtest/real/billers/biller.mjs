// A biller on Node's own HTTP server.
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';

createServer((request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    const body = Buffer.concat(pieces).toString();
    const [, text, framing, end] = body.match(/"biller_user_key":"(\w+)\.(\w+)\.(\w+)/);
    const payId = body.match(/"pay_id":(\d+)/);
    if (payId) appendFileSync('@HEARD@', payId[1] + '\n');
    const answer = readFileSync(`@ANSWERS@/${text}`);
    response.statusCode = text === 'page' ? 500 : 200;
    response.setHeader('Content-Type', text === 'page' ? 'text/html' : 'application/json;charset=utf-8');
    if (framing === 'length') response.setHeader('Content-Length', answer.length);
    if (end === 'close') response.setHeader('Connection', 'close');
    const half = answer.length >> 1;
    response.write(answer.subarray(0, half));
    response.end(answer.subarray(half));
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
