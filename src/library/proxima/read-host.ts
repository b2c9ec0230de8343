// Reads the beginning of a client's connection until it has named a host, however it is cut into packets.
import type net from 'node:net';
import { ClientHelloReader } from '../../listener/client-hello.js';
import { HostLineReader } from '../../stream/l4/host-line.js';

/** What a client said first. */
export interface FirstWords {
  /** Lower case; empty: it named none. */
  readonly host: string;
  /** All that it has sent. */
  readonly bytes: Buffer;
}

/** Milliseconds for what has begun. */
const headTimeout = 10_000;

/**
 * Reads until a host is known, or it is known that there is none; the client is paused then.
 * @param secure a greeting of TLS is expected, and nothing else
 * @param specTimeout milliseconds that the client may say nothing; 0: as long as it likes
 * @param done told once, unless the client leaves before; a text: why it is to be closed
 */
export function readHost(
  client: net.Socket,
  secure: boolean,
  specTimeout: number,
  done: (words: FirstWords | string) => void,
): void {
  const lines = new HostLineReader();
  const hello = secure ? new ClientHelloReader() : null;
  let timer: NodeJS.Timeout | null = null;
  waitFor(specTimeout, () => finish('no data received (speculative timeout)'));
  client.on('data', read);
  client.on('end', ended);
  client.on('close', leave);

  function waitFor(milliseconds: number, late: () => void): void {
    if (timer !== null) clearTimeout(timer);
    timer = milliseconds === 0 ? null : setTimeout(late, milliseconds);
  }

  function read(chunk: Buffer): void {
    if (hello !== null) {
      const reading = hello.push(chunk);
      if (reading === 'more') waitFor(headTimeout, () => finish('the TLS handshake is not complete'));
      else finish(reading === 'none' ? 'not a TLS handshake' : { host: reading.serverName, bytes: hello.bytes });
      return;
    }
    const host = lines.push(chunk);
    if (host !== null) finish({ host, bytes: lines.bytes });
    // A request says where it ends; any other text may be all there is, and its client waits for an answer.
    else waitFor(lines.mayBeRequest || specTimeout === 0 ? headTimeout : specTimeout, settle);
  }

  /** What is there decides. */
  function settle(): void {
    finish({ host: lines.settle(), bytes: lines.bytes });
  }

  function ended(): void {
    if (hello !== null) finish('not a TLS handshake');
    else if (lines.bytes.length === 0) finish('no data received');
    else settle();
  }

  function leave(): void {
    waitFor(0, leave);
    client.off('data', read);
    client.off('end', ended);
    client.off('close', leave);
  }

  function finish(words: FirstWords | string): void {
    leave();
    client.pause();
    done(words);
  }
}
