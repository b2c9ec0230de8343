// Handshakes for the TLS jobs: `load.mjs JOB PORT NAMES CONNECTIONS SECONDS`, JOB `full` or `resumed`. Each connection asks for one of
// NAMES host names, in turn, and ends when its handshake is done. Prints a line of JSON.
import { performance } from 'node:perf_hooks';
import tls from 'node:tls';

const [job, port, names, connections, seconds] = process.argv.slice(2);
const count = Number(names);
const nameAt = (at) => `n${at % count}.bench.example`;
const target = { port: Number(port), host: '127.0.0.1', rejectUnauthorized: false, minVersion: 'TLSv1.3' };
const contexts = { secureContext: tls.createSecureContext({ ca: [] }) };

/** A session of a name, after a request: tickets of TLS 1.3 come behind the handshake. */
function sessionOf(servername) {
  return new Promise((resolve, reject) => {
    let session;
    const socket = tls.connect({ ...target, ...contexts, servername });
    socket.on('session', (one) => {
      session = one;
    });
    socket.on('secureConnect', () => socket.write('GET /small HTTP/1.1\r\nHost: bench.example\r\nConnection: close\r\n\r\n'));
    socket.on('data', () => {});
    socket.once('error', reject);
    socket.once('close', () => resolve(session));
  });
}

const session = job === 'resumed' ? await sessionOf(nameAt(0)) : undefined;
const times = [];
let failed = 0;
let resumed = 0;
let next = 0;
const end = performance.now() + Number(seconds) * 1_000;

function handshake() {
  return new Promise((resolve) => {
    const begun = performance.now();
    const socket = tls.connect({ ...target, ...contexts, servername: nameAt(next++), ...(session ? { session } : {}) });
    socket.once('secureConnect', () => {
      times.push(performance.now() - begun);
      if (socket.isSessionReused()) resumed++;
      socket.end();
    });
    socket.on('data', () => {});
    socket.once('error', () => {
      failed++;
    });
    socket.once('close', resolve);
  });
}

async function client() {
  while (performance.now() < end) await handshake();
}

await Promise.all(Array.from({ length: Number(connections) }, client));
times.sort((a, b) => a - b);
const at = (share) => times[Math.floor(times.length * share)] ?? 0;
process.stdout.write(`${JSON.stringify({ handshakes: times.length, resumed, failed, p50: at(0.5), p99: at(0.99) })}\n`);
