// Clients of the bench of scale: ask for one host after the other over kept connections, each answer awaited.
//
// node load.mjs PORT HOW CONNECTIONS FROM COUNT: HOW is a host name in which `%` stands for the number. Prints a line of JSON.
import { connect } from 'node:net';

const [port, how, connections, from, count] = process.argv.slice(2);
const statuses = {};
const latencies = new Float64Array(Number(count));
let next = 0;
let open = Number(connections);
const begun = performance.now();

for (let at = 0; at < Number(connections); at++) {
  const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
  let buffered = '';
  let sentAt = 0;
  const ask = () => {
    if (next >= Number(count)) {
      socket.end();
      if (--open === 0) report();
      return;
    }
    sentAt = performance.now();
    socket.write(`GET /small HTTP/1.1\r\nHost: ${how.replace('%', String(Number(from) + next++))}\r\n\r\n`);
  };
  socket.setEncoding('latin1');
  socket.on('connect', ask);
  socket.on('data', (text) => {
    buffered += text;
    const head = buffered.indexOf('\r\n\r\n');
    if (head === -1) return;
    const length = Number(/content-length: (\d+)/i.exec(buffered)?.[1] ?? 0);
    if (buffered.length < head + 4 + length) return;
    const status = buffered.slice(9, 12);
    statuses[status] = (statuses[status] ?? 0) + 1;
    latencies[next - 1] = performance.now() - sentAt;
    buffered = buffered.slice(head + 4 + length);
    ask();
  });
  socket.on('close', () => {
    if (next >= Number(count)) return;
    process.stderr.write('a connection was closed\n');
    process.exit(1);
  });
}

function report() {
  const seconds = (performance.now() - begun) / 1000;
  const sorted = latencies.sort();
  const p99 = sorted[Math.floor(0.99 * (sorted.length - 1))];
  process.stdout.write(`${JSON.stringify({ statuses, seconds, p99 })}\n`);
}
