// Clients that ask a Redis without a pause and check every byte of every reply: what one client is given can be nobody else's.
import { once } from 'node:events';
import net from 'node:net';

export interface CheckedLoad {
  /** Port of 127.0.0.1. */
  readonly port: number;
  readonly clients: number;
  readonly milliseconds: number;
}

/** What was asked for and answered as it should be. */
export interface CheckedResult {
  readonly replies: number;
  readonly bytes: number;
  /** Replies to the client that got the fewest. */
  readonly fewest: number;
}

/** Sizes of values: some fill a segment, some many, some come in several reads. */
const sizes = [0, 1, 7, 100, 700, 1_460, 4_000, 16_384, 70_000] as const;

/** Rejects at the first reply that is wrong, missing or somebody else's. */
export async function runCheckedLoad({ port, clients, milliseconds }: CheckedLoad): Promise<CheckedResult> {
  const until = performance.now() + milliseconds;
  const results = await Promise.all(Array.from({ length: clients }, (_, index) => askUntil(port, index, until)));
  return {
    replies: results.reduce((sum, { replies }) => sum + replies, 0),
    bytes: results.reduce((sum, { bytes }) => sum + bytes, 0),
    fewest: Math.min(...results.map(({ replies }) => replies)),
  };
}

interface Step {
  readonly request: string;
  readonly reply: string;
}

/** One client: writes a value of its own, reads it back, is refused, and now and then asks several things at once. */
function* stepsOf(index: number): Generator<Step> {
  for (let turn = 0; ; turn++) {
    const key = `client:${index}:${turn % 5}`;
    const value = `${index}.${turn};`.padEnd(sizes[(turn + index) % sizes.length] as number, `<${index}.${turn}>`);
    yield { request: command('SET', key, value), reply: '+OK\r\n' };
    yield { request: command('GET', key), reply: bulk(value) };
    yield { request: command('INCR', `counted:${index}`), reply: `:${turn + 1}\r\n` };
    if (turn % 7 === 0) yield { request: command('GET', `absent:${index}`), reply: '$-1\r\n' };
    if (turn % 11 === 0) yield pipelined(index, turn, key, value);
  }
}

function pipelined(index: number, turn: number, key: string, value: string): Step {
  const mine = `of ${index} in ${turn}`;
  return {
    request: command('ECHO', mine) + command('MGET', key, 'nothing', key) + command('STRLEN', key),
    reply: `${bulk(mine)}*3\r\n${bulk(value)}$-1\r\n${bulk(value)}:${value.length}\r\n`,
  };
}

async function askUntil(port: number, index: number, until: number): Promise<{ replies: number; bytes: number }> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  socket.setEncoding('latin1');
  await once(socket, 'connect');
  let replies = 0;
  let bytes = 0;
  try {
    for (const { request, reply } of stepsOf(index)) {
      if (performance.now() >= until) break;
      await askOne(socket, index, request, reply);
      replies++;
      bytes += reply.length;
    }
  } finally {
    socket.destroy();
  }
  return { replies, bytes };
}

function askOne(socket: net.Socket, index: number, request: string, reply: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let got = '';
    const end = (error: Error | null): void => {
      socket.off('data', read).off('close', closed).off('error', end);
      if (error === null) resolve();
      else reject(error);
    };
    const wrong = (what: string): void =>
      end(
        new Error(
          `client ${index} asked ${JSON.stringify(request.slice(0, 80))} and ${what} ${JSON.stringify(got.slice(0, 200))}`,
        ),
      );
    const read = (text: string): void => {
      got += text;
      if (got === reply) end(null);
      else if (got.length >= reply.length || !reply.startsWith(got)) wrong('got');
    };
    const closed = (): void => wrong('was closed after');
    socket.on('data', read).on('close', closed).on('error', end);
    socket.write(request, 'latin1');
  });
}

function command(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map(bulk).join('')}`;
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}
