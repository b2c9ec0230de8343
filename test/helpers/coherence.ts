// Coherence under load: numbered writes to many frontends, what each worker answered meanwhile, and whether any of it was out of date.
import { connect, type Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Redis } from 'ioredis';
import { seeded } from './seeded.js';

export interface CoherenceOptions {
  readonly redis: Redis;
  /** Ports of 127.0.0.1, with connections to each: so many that every worker behind it has one. */
  readonly ports: readonly number[];
  readonly connections: number;
  readonly backend: string;
  readonly frontends: number;
  /** A second. */
  readonly changes: number;
  readonly milliseconds: number;
  /** After so long no answer may be out of date, in milliseconds; what the observer itself was late is added. */
  readonly bound: number;
  readonly seed: number;
  /** Whether every worker has served every frontend before anything is measured, as in a fleet that has run for a while. */
  readonly warm?: boolean;
}

export interface CoherenceResult {
  readonly writes: number;
  readonly reads: number;
  /** Writes that were followed on all connections until each had given the right answer. */
  readonly followed: number;
  /** From the end of a write to the first right answer on the connection that got it last, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  /** The longest that the observer itself was late. */
  readonly stall: number;
  /** Answers that were out of date for too long, or that nobody had written. */
  readonly wrong: readonly string[];
}

interface Write {
  readonly number: number;
  readonly begun: number;
  /** Infinity until it was acknowledged. */
  ended: number;
  /** Connections that have not given the right answer yet. */
  waiting: number;
}

interface Read {
  readonly host: number;
  readonly sent: number;
  readonly number: number;
}

/** Writes, reads and judges. Debug headers have to be on for everyone: the number of a write is the identifier of its frontend. */
export async function runCoherence(options: CoherenceOptions): Promise<CoherenceResult> {
  const { redis, ports, connections, backend, frontends, changes, milliseconds, bound, seed } = options;
  const random = seeded(seed);
  const writes: Write[][] = Array.from({ length: frontends }, () => [{ number: 0, begun: 0, ended: 0, waiting: 0 }]);
  const reads: Read[] = [];
  const delays: number[] = [];
  for (let at = 0; at < frontends; at += 1000) {
    const pipeline = redis.pipeline();
    for (let one = at; one < Math.min(frontends, at + 1000); one += 1) pipeline.rpush(keyOf(one), '0', backend);
    await pipeline.exec();
  }
  const clients = await Promise.all(ports.flatMap((port) => Array.from({ length: connections }, () => Client.open(port))));
  if (options.warm === true) await Promise.all(clients.map((client) => client.askForAll(frontends)));
  const stall = monitorEventLoopDelay({ resolution: 1 });
  stall.enable();
  let stopped = false;
  const jobs = clients.map((): { host: number; write: Write }[] => []);
  const pauses = clients.map(() => new Pause());
  let probed = 0;
  const readOn = async (client: Client, host: number): Promise<number> => {
    const sent = performance.now();
    const number = await client.ask(`site-${host}.example`);
    reads.push({ host, sent, number });
    return number;
  };
  const reading = clients.map(async (client, at) => {
    while (!stopped) {
      const job = jobs[at]?.shift();
      if (job === undefined) {
        await readOn(client, Math.floor(random() * frontends));
        await pauses[at]?.begin(5);
        continue;
      }
      while ((await readOn(client, job.host)) < job.write.number && !stopped)
        await new Promise((resolve) => setImmediate(resolve));
      job.write.waiting--;
      if (job.write.waiting > 0) continue;
      delays.push(performance.now() - job.write.ended);
      probed--;
    }
  });
  const begun = performance.now();
  let count = 0;
  while (performance.now() - begun < milliseconds) {
    const due = Math.floor(((performance.now() - begun) * changes) / 1000);
    const some: Promise<void>[] = [];
    // Who fell behind does not catch up by a burst.
    for (let turn = 0; turn < 10 && count < due; turn += 1) some.push(writeOne(Math.floor(random() * frontends), ++count));
    count = Math.max(count, due);
    await Promise.all(some);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const lastWrite = performance.now();
  while (probed > 0 && performance.now() - lastWrite < 10_000) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  stopped = true;
  await Promise.all(reading);
  for (const client of clients) client.close();
  stall.disable();

  async function writeOne(host: number, number: number): Promise<void> {
    const write: Write = { number, begun: performance.now(), ended: Number.POSITIVE_INFINITY, waiting: clients.length };
    writes[host]?.push(write);
    await redis.multi().del(keyOf(host)).rpush(keyOf(host), String(number), backend).exec();
    write.ended = performance.now();
    // One at a time, so that what is measured is the fleet and not the queue of the observer; the others are seen by whoever happens to ask.
    if (probed > 0) return;
    probed++;
    for (const list of jobs) list.push({ host, write });
    for (const pause of pauses) pause.end();
  }

  const late = stall.max / 1e6;
  delays.sort((one, other) => one - other);
  const part = (share: number): number => delays[Math.floor(share * (delays.length - 1))] ?? Number.NaN;
  return {
    writes: writes.reduce((sum, list) => sum + list.length - 1, 0),
    reads: reads.length,
    followed: delays.length,
    p50: part(0.5),
    p99: part(0.99),
    longest: part(1),
    stall: late,
    wrong: reads.flatMap((read) => judge(read, writes[read.host] ?? [], bound + late)),
  };
}

/** An answer is right if its write had begun before it came, and no later one had ended long before it was asked for. */
function judge({ host, sent, number }: Read, writes: readonly Write[], bound: number): string[] {
  const own = writes.find((write) => write.number === number);
  if (own === undefined) return [`site-${host}.example was answered ${number}, which nobody wrote`];
  // Two writes of one frontend may have been on their way together: then their order is the server's.
  const newer = writes.find((write) => write.begun > own.ended && write.ended + bound < sent);
  if (newer === undefined) return [];
  return [`site-${host}.example was answered ${number}, ${Math.round(sent - newer.ended)} ms after ${newer.number} was written`];
}

function keyOf(host: number): string {
  return `frontend:site-${host}.example`;
}

/** A pause that can be ended before its time. */
class Pause {
  #end: () => void = () => {};

  begin(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  end(): void {
    this.#end();
  }
}

/** One kept connection, one request at a time. */
class Client {
  readonly #socket: Socket;
  #received = '';
  #changed: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#changed();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => this.#changed());
  }

  static open(port: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Client(socket)));
    });
  }

  /** The number that a host is answered with. */
  async ask(host: string): Promise<number> {
    this.#received = '';
    this.#socket.write(`GET /0/0 HTTP/1.1\r\nHost: ${host}\r\nX-Debug: 1\r\n\r\n`);
    for (;;) {
      const head = this.#received.indexOf('\r\n\r\n');
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#received)?.[1] ?? Number.NaN);
      if (head !== -1 && this.#received.length >= head + 4 + length) break;
      if (this.#socket.destroyed) throw new Error(`the connection was closed after ${this.#received.slice(0, 100)}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    const number = /\r\nx-debug-vhost: (\d+)\r\n/i.exec(this.#received)?.[1];
    if (number === undefined) throw new Error(`${host} was answered ${this.#received.slice(0, 200)}`);
    return Number(number);
  }

  /** Asks for each host once. */
  async askForAll(frontends: number): Promise<void> {
    for (let host = 0; host < frontends; host += 1) await this.ask(`site-${host}.example`);
  }

  close(): void {
    this.#socket.destroy();
  }
}
