// The load of the TCP jobs: connections that send a message and wait for its echo, or that are opened and say nothing.
import { readFileSync } from 'node:fs';
import net from 'node:net';

const [job, port, connections, seconds] = [process.argv[2], ...process.argv.slice(3, 6).map(Number)];
/** What a connection begins with; something has to come back before it counts as standing. */
const opening = process.argv[6] === undefined ? Buffer.from('.') : readFileSync(process.argv[6]);
const size = 64 * 1024;
const message = Buffer.alloc(size, 'x');

/** Resolves when the opening has come back, or the first bytes of an answer to it, so that the target's side stands too. */
function connect() {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => socket.write(opening));
    let missing = job === 'echo' ? opening.length : 1;
    socket.on('data', function arrived(chunk) {
      missing -= chunk.length;
      if (missing > 0) return;
      socket.off('data', arrived);
      resolve(socket);
    });
  });
}

const sockets = [];
while (sockets.length < connections) {
  const some = Math.min(200, connections - sockets.length);
  sockets.push(...(await Promise.all(Array.from({ length: some }, connect))));
}
let echoes = 0;
if (job === 'echo') {
  for (const socket of sockets) {
    let missing = size;
    socket.on('data', (chunk) => {
      missing -= chunk.length;
      if (missing > 0) return;
      missing = size;
      echoes++;
      socket.write(message);
    });
    socket.write(message);
  }
}
process.stdout.write('ready\n');
const started = performance.now();
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
process.stdout.write(`${JSON.stringify({ echoes, seconds: (performance.now() - started) / 1000 })}\n`);
process.exit(0);
