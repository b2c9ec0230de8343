// The host that the first bytes of a connection ask for, as programs of Proxima look for it: in a text, or in a greeting of TLS.
import { ClientHelloReader } from '../../listener/client-hello.js';
import { HostLineReader } from '../../stream/l4/host-line.js';

/** The text has no Host line. */
class MissingHostHeader extends Error {
  override readonly name = 'MissingHostHeader';

  constructor() {
    super('HTTP host header missing');
  }
}

/** The greeting asks for no name. */
class NotPresent extends Error {
  override readonly name = 'NotPresent';

  constructor() {
    super('SNI not present');
  }
}

export const HTTP = Object.freeze({
  MissingHostHeader,

  /**
   * @returns the host in lower case, without its port
   * @throws HTTP.MissingHostHeader
   */
  parse(bytes: Buffer): string {
    const reader = new HostLineReader();
    const host = reader.push(bytes) ?? reader.settle();
    if (host === '') throw new MissingHostHeader();
    return host;
  },
});

export const SNI = Object.freeze({
  NotPresent,

  /**
   * @returns the name in lower case
   * @throws SNI.NotPresent, or an Error for what is no greeting, or not all of one
   */
  parse(bytes: Buffer): string {
    const reading = new ClientHelloReader().push(bytes);
    if (reading === 'none') throw new Error('not a TLS handshake');
    if (reading === 'more') throw new Error('the TLS handshake is not complete');
    if (reading.serverName === '') throw new NotPresent();
    return reading.serverName;
  },
});
