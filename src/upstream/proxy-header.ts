// The PROXY protocol, versions 1 and 2: how a proxy tells the next one who its client is. What is said first on a connection.
// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
import { isIPv4, isIPv6 } from 'node:net';

/** One end of a connection. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** What a header says: who connected to whom, or null where the sender speaks for itself (a health check) or knows nothing. */
export interface ProxiedEnds {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

/** How version 2 begins. */
export const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/**
 * Writes a header.
 * @param ends null: the connection is our own (version 2: LOCAL, version 1: UNKNOWN); as are addresses of unlike families
 */
export function formatProxyHeader(version: 'v1' | 'v2', ends: ProxiedEnds | null): Buffer {
  const family = ends === null ? 0 : familyOf(ends);
  if (version === 'v1') {
    if (ends === null || family === 0) return Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
    const { source, destination } = ends;
    const words = ['PROXY', `TCP${family}`, source.address, destination.address, source.port, destination.port];
    return Buffer.from(`${words.join(' ')}\r\n`, 'latin1');
  }
  const length = family === 4 ? 4 : 16;
  const block = family === 0 ? 0 : 2 * length + 4;
  const header = Buffer.alloc(16 + block);
  signature.copy(header);
  header[12] = family === 0 ? 0x20 : 0x21;
  header[13] = family === 0 ? 0 : family === 4 ? 0x11 : 0x21;
  header.writeUInt16BE(block, 14);
  if (ends === null || family === 0) return header;
  header.set(addressBytes(ends.source.address), 16);
  header.set(addressBytes(ends.destination.address), 16 + length);
  header.writeUInt16BE(ends.source.port, 16 + 2 * length);
  header.writeUInt16BE(ends.destination.port, 18 + 2 * length);
  return header;
}

/** 0: no address, or two of unlike families, which a header cannot say. */
function familyOf({ source, destination }: ProxiedEnds): 0 | 4 | 6 {
  if (isIPv4(source.address) && isIPv4(destination.address)) return 4;
  return isIPv6(source.address) && isIPv6(destination.address) ? 6 : 0;
}

function addressBytes(address: string): number[] {
  if (isIPv4(address)) return address.split('.').map(Number);
  // The URL parser writes an embedded IPv4 address as two groups.
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const head = groupsOf(left);
  const tail = right === undefined ? [] : groupsOf(right);
  const zeros = new Array<number>(8 - head.length - tail.length).fill(0);
  return [...head, ...zeros, ...tail].flatMap((group) => [group >> 8, group & 255]);
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}
