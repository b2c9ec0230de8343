// Hipache 0.4.0, PlanB 0.1.15 and hchecker 0.2.4 beside us on one Redis: the keys, times and messages that they were seen to write are
// played for another host and backend (the form of their locks is made from the effect), and what they find is read by their rules.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';

/** Whom the recording is played for: the second backend of two. */
export interface Played {
  readonly host: string;
  /** As it stands in the list. */
  readonly url: string;
}

/** What was recorded of one program, by occasion: the commands, a line each. */
export type Recording = Readonly<Record<string, readonly string[]>>;

export const hipache = recordingOf('hipache-0.4.0');
export const planb = recordingOf('planb-0.1.15');
export const hchecker = recordingOf('hchecker-0.2.4');

/** A reply of Redis, as far as these programs need it. */
export type Reply = string | number | null | readonly Reply[];

const recorded = { host: 'halfdead', url: 'http://127.0.0.1:1' };

function recordingOf(name: string): Recording {
  const { heard, ...commands } = JSON.parse(readFileSync(`test/fixtures/originals/${name}.json`, 'utf8')) as Record<
    string,
    string[]
  >;
  return heard === undefined ? commands : { ...commands, heard: [heard].flat() };
}

/** The words of a recording, for another host and backend. */
export function forPlayed(line: string, { host, url }: Played): string {
  // `http://127.0.0.1:1` is also how `http://127.0.0.1:18101` begins.
  return line.replaceAll(recorded.host, host).replace(/http:\/\/127\.0\.0\.1:1(?!\d)/g, url);
}

/** Says the commands to Redis on a connection of their own, all in one piece as the originals do. @returns the replies */
export async function play(port: number, commands: readonly string[] | undefined, played: Played): Promise<Reply[]> {
  if (commands === undefined) throw new Error('there is no such recording');
  const socket = net.connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  const words = commands.map((line) => forPlayed(line, played).split(' '));
  socket.write(
    words.map((command) => `*${command.length}\r\n${command.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`).join(''),
  );
  let text = '';
  try {
    for await (const chunk of socket.setEncoding('latin1')) {
      text += chunk;
      const replies = readReplies(text);
      if (replies.length >= commands.length) return replies;
    }
  } finally {
    socket.destroy();
  }
  throw new Error(`Redis ended the connection after ${JSON.stringify(text)}`);
}

/** The replies that are complete. */
function readReplies(text: string): Reply[] {
  const replies: Reply[] = [];
  const reader = { at: 0 };
  try {
    while (reader.at < text.length) replies.push(readReply(text, reader));
  } catch (error) {
    if (!(error instanceof Incomplete)) throw error;
  }
  return replies;
}

class Incomplete extends Error {}

function readReply(text: string, reader: { at: number }): Reply {
  const lineEnd = text.indexOf('\r\n', reader.at);
  if (lineEnd === -1) throw new Incomplete();
  const kind = text[reader.at];
  const line = text.slice(reader.at + 1, lineEnd);
  reader.at = lineEnd + 2;
  if (kind === '-') throw new Error(`Redis said: ${line}`);
  if (kind === '+') return line;
  if (kind === ':') return Number(line);
  const size = Number(line);
  if (size === -1) return null;
  if (kind === '*') return Array.from({ length: size }, () => readReply(text, reader));
  const end = reader.at + size;
  if (text.length < end + 2) throw new Incomplete();
  const value = text.slice(reader.at, end);
  reader.at = end + 2;
  return value;
}

/** The backends that Hipache would choose among: one transaction, the first list that is not empty, members as numbers, junk ignored. */
export async function hipacheChoosesAmong(port: number, played: Played): Promise<string[]> {
  const replies = await play(port, hipache.read, played);
  const rows = replies.at(-1) as readonly (readonly string[])[];
  const dead = new Set((rows.at(-1) ?? []).map((member) => Number.parseInt(member, 10)));
  const list = rows.slice(0, -1).find((row) => row.length > 0) ?? [];
  return list.slice(1).filter((_url, id) => !dead.has(id));
}

/** The same of PlanB, to which junk is backend 0. */
export async function planbChoosesAmong(port: number, played: Played): Promise<string[]> {
  const [list, members] = (await play(port, planb.read, played)) as [readonly string[], readonly string[]];
  const dead = new Set(members.map((member) => (/^\d+$/.test(member) ? Number(member) : 0)));
  return list.slice(1).filter((_url, id) => !dead.has(id));
}

/** Whether hchecker takes a backend under its care on a message: four fields, more than one backend, and the entry as it writes it. */
export async function hcheckerWouldCheck(port: number, message: string): Promise<boolean> {
  const [host = '', text = '', id, size, ...more] = message.split(';');
  if (size === undefined || more.length > 0 || !(Number(size) > 1)) return false;
  const { protocol, host: authority } = new URL(text);
  const [entry] = await play(port, [`LINDEX frontend:${host} ${Number(id) + 1}`], { host, url: text });
  return entry === `${protocol}//${authority}`;
}

/** Whether PlanB's monitor does: the entry as it stands in the list. */
export async function planbWouldCheck(port: number, message: string): Promise<boolean> {
  const [host = '', text = '', id] = message.split(';');
  const [entry] = await play(port, [`LINDEX frontend:${host} ${Number(id) + 1}`], { host, url: text });
  return entry === text;
}
