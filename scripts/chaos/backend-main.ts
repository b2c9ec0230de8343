// A backend in a process of its own: answers what a target asks for, and misbehaves as it is told to.
//
// Argument: its port on 127.0.0.1. Each line on stdin is how it behaves from then on; it ends with stdin.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { resetSocket } from '../../src/base/socket-reset.js';
import type { Behaviour } from './backend.js';
import { contentOf, type Wanted, wantedBy } from './content.js';

/** A slow backend takes up to so many milliseconds. */
const slowest = 600;
/** Pieces of a body that is spread over some time. */
const pieces = 8;

let behaviour: Behaviour = 'well';
createInterface({ input: process.stdin })
  .on('line', (line) => {
    behaviour = line as Behaviour;
  })
  .on('close', () => process.exit(0));

const server = createServer((request, response) => {
  request.on('error', () => {});
  response.on('error', () => {});
  void answer(request, response).catch(() => request.socket.destroy());
});
const sockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => {});
  if (behaviour !== 'well' && behaviour !== 'slow') {
    if (behaviour !== 'silent') socket.destroy();
    return;
  }
  sockets.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.on('error', () => {});
    webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write('listening\n'));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { socket } = request;
  if (behaviour === 'silent') return;
  if (behaviour === 'resets') {
    resetSocket(socket);
    return;
  }
  if (behaviour === 'half-closes') {
    // It says that nothing will come and listens on.
    request.resume();
    socket.end();
    return;
  }
  const bodyOfRequest = request.method === 'GET' ? null : await bodyOf(request);
  if (behaviour === 'slow') await pause(Math.random() * slowest);
  const wanted = wantedBy(request.url ?? '');
  const body = bodyOfRequest ?? contentOf(wanted.number, wanted.length);
  const cutAt = wanted.cutAt ?? (behaviour === 'resets-within' ? Math.floor(body.length / 2) : null);
  if (cutAt === 0) {
    resetSocket(socket);
    return;
  }
  response.sendDate = false;
  if (wanted.framing === 'close') {
    response.shouldKeepAlive = false;
    response.removeHeader('Transfer-Encoding');
  }
  if (wanted.framing === 'length') response.setHeader('Content-Length', body.length);
  response.writeHead(200);
  await send(response, cutAt === null ? body : body.subarray(0, cutAt), wanted);
  if (cutAt === null) response.end();
  else {
    // A reset throws away what has not left; what has been cut off should be seen to have begun.
    await pause(20);
    resetSocket(socket);
  }
}

async function send(response: ServerResponse, body: Buffer, { pace }: Wanted): Promise<void> {
  if (pace === 0) {
    response.write(body);
    return;
  }
  const size = Math.ceil(body.length / pieces);
  for (let at = 0; at < body.length; at += size) {
    response.write(body.subarray(at, at + size));
    await pause(pace / pieces);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
