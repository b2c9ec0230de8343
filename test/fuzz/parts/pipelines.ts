// Whatever bytes a client sends, in whatever pieces: the backend behind the proxy gets the requests that are in them by our reading, each
// once, in their order, and never a byte that node:http cannot read. This is what a smuggled request would break.
import { createServer, type Server } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import fc from 'fast-check';
import { isKnownDifference, readMessage } from '../../helpers/node-comparison.js';
import { type StartedProxy, startProxy } from '../../helpers/start-proxy.js';
import { requestTexts } from '../http-texts.js';
import { fuzzPart } from '../part.js';
import { bytesOf, cutAt, cutPlaces, holds, same } from '../texts.js';

interface PipelineCase {
  /** One behind the other on a connection. */
  readonly messages: readonly string[];
  readonly cuts: readonly number[];
}

interface Seen {
  readonly method: string;
  readonly body: string;
}

/** By these codes node tells that the other side went away, which a proxy does when its client did. */
const wentAway = ['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE'];

let proxy: StartedProxy;
let backend: Server;
/** What arrived whole, and what could not be read, since the last case began. */
let seen: Seen[] = [];
let unreadable: string[] = [];

async function open(): Promise<void> {
  backend = createServer((request, response) => {
    let body = '';
    request.setEncoding('latin1');
    request.on('data', (piece: string) => {
      body += piece;
    });
    request.on('error', () => undefined);
    request.on('end', () => {
      seen.push({ method: request.method ?? '', body });
      response.end('ok');
    });
  });
  backend.on('upgrade', (request, socket) => {
    // An upgrade that is not taken: the tunnel never begins.
    seen.push({ method: request.method ?? '', body: '' });
    socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  backend.on('clientError', (error, socket) => {
    const { code = '', rawPacket } = error as NodeJS.ErrnoException & { rawPacket?: Buffer };
    const bytes = rawPacket?.toString('latin1') ?? '';
    // Looked at with the bytes that it came from: the error of one case may be told within the next.
    if (!wentAway.includes(code) && !isKnownDifference(bytes, code, '')) unreadable.push(`${code} in ${bytes}`);
    socket.destroy();
  });
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  proxy = await startProxy({ server: { retryOnError: 0, deadBackendTTL: 0 } });
  const { port } = backend.address() as AddressInfo;
  await proxy.proxy.store.writeFrontend('*', 'all', [`http://127.0.0.1:${port}`]);
}

async function close(): Promise<void> {
  await proxy.close();
  backend.closeAllConnections();
  await new Promise<void>((resolve) => backend.close(() => resolve()));
}

/** Sends pieces, each in a turn of the event loop of its own, and resolves with the answers when the proxy has closed. */
function exchange(pieces: readonly Buffer[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect({ port: proxy.port, host: '127.0.0.1', noDelay: true });
    let answers = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      answers += text;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answers));
    let at = 0;
    const next = (): void => {
      const piece = pieces[at++];
      if (piece === undefined) socket.end();
      else {
        socket.write(piece);
        setImmediate(next);
      }
    };
    next();
  });
}

/** The requests in a stream by our own reading, up to what is refused or incomplete. */
function requestsIn(text: string): Seen[] {
  const found: Seen[] = [];
  for (let rest = text; rest !== ''; ) {
    const own = readMessage(rest);
    if (own.kind !== 'accepted') break;
    const { method, body } = own.understood as Seen;
    found.push({ method, body });
    rest = own.rest;
  }
  return found;
}

async function check({ messages, cuts }: PipelineCase): Promise<void> {
  seen = [];
  unreadable = [];
  const text = messages.join('');
  const answers = await exchange(cutAt(bytesOf(text), cuts));
  while (proxy.proxy.activeExchanges > 0) await new Promise((resolve) => setImmediate(resolve));
  same('what the backend could not read', unreadable, []);
  const expected = requestsIn(text);
  // Some are answered by the proxy itself; what arrives are others of them, in their order.
  let at = 0;
  for (const request of seen) {
    const found = expected.findIndex((one, place) => place >= at && JSON.stringify(one) === JSON.stringify(request));
    holds(`the backend got ${JSON.stringify(request)}; there were ${JSON.stringify(expected)}`, found >= 0);
    at = found + 1;
  }
  const finals = answers.match(/HTTP\/1\.1 [2-5]\d\d /g)?.length ?? 0;
  holds(`${finals} answers to ${expected.length} requests and what is behind them`, finals <= expected.length + 1);
}

export const pipelines = fuzzPart<PipelineCase>({
  name: 'pipelines',
  cases: fc.record({ messages: fc.array(requestTexts, { minLength: 1, maxLength: 4 }), cuts: cutPlaces }),
  check,
  perSecond: 250,
  open,
  close,
});
