// The line that the access log gets when a TCP connection ends.
import type { StreamEnd } from './stream-counters.js';

/** What there is to say about a connection. */
interface StreamRecord {
  readonly stream: string;
  readonly client: string;
  /** The host that it asked for, where that decides; else empty. */
  readonly host: string;
  /** The last target that served it, or empty. */
  readonly target: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Milliseconds from accept to the end. */
  readonly milliseconds: number;
  readonly end: StreamEnd;
  /** Milliseconds since the epoch. */
  readonly endedAt: number;
}

/** Makes a line, with its newline. */
export type StreamLineFormat = (record: StreamRecord) => string;

/** For a log whose lines of requests are JSON. */
export const jsonStreamLine: StreamLineFormat = ({ endedAt, ...record }) =>
  `${escaped(JSON.stringify({ time: new Date(endedAt).toISOString(), ...record, milliseconds: Math.round(record.milliseconds) }))}\n`;

/** For a log of text: `tcp` stands where a request has its address, so that a reader of lines can tell them apart. */
export const textStreamLine: StreamLineFormat = (record) => {
  const { stream, client, host, target, bytesIn, bytesOut, milliseconds, end, endedAt } = record;
  const time = new Date(endedAt).toISOString();
  const words = [
    `tcp ${stream} ${client} ${host === '' ? '-' : host} [${time}] -> ${target === '' ? '-' : target}`,
    bytesIn,
    bytesOut,
    Math.round(milliseconds),
    end,
  ];
  return `${escaped(words.join(' '))}\n`;
};

/** A line is written as latin1: names of targets from a list are ASCII, everything else is escaped. */
function escaped(line: string): string {
  return line.replace(/[^\x20-\x7e]/g, '?');
}
