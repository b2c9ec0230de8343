// The second engine: the `http-proxy` package over node:http. Slower than the wire engine, and an independent judge of it.
//
// The package forwards; everything that must not differ between engines is taken out of its hands: the request head is
// replaced just before it is sent, and the answer is relayed by us (`selfHandleResponse`). Upgrades go to node:http itself:
// the package's `ws` takes only GET with `websocket`, writes a head of its own making onto the client's socket, and closes
// that socket when a backend refuses, which leaves no room for another attempt, an error page or a refusal by the backend.
//
// What node:http cannot express: lines of one name are sent next to each other even if others stood between them, in the
// case of the first; several Cookie lines are sent as one (RFC 6265 section 5.4); bytes beyond ASCII in the head of a request
// with Expect leave as UTF-8.
import http from 'node:http';
import https from 'node:https';
import net, { type Socket } from 'node:net';
import { ProxyServer } from 'http-proxy';
import { ProxyError } from '../../errors/proxy-error.js';
import type { Exchange } from '../../exchange/exchange.js';
import { type Backend, speaksTls } from '../../model/backend.js';
import { dial } from '../../upstream/dial.js';
import type { AttemptReport, Engine } from '../engine.js';
import { proxyPreface } from '../proxy-preface.js';
import { RequestStream } from './adapters.js';
import { type Agents, agentsBy, closeIdle, freshAgents, keptAgents } from './agents.js';
import { HttpProxyAttempt } from './http-proxy-attempt.js';
import type { HttpProxySettings } from './settings.js';

/** Where and how node:http connects. `host` is a bare name or address, also for IPv6. */
interface Target {
  readonly protocol: 'http:' | 'https:';
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string;
}

class HttpProxyEngine implements Engine {
  readonly #settings: HttpProxySettings;
  /** The same, for requests that their connection ends with. */
  readonly #closing: HttpProxySettings;
  readonly #proxy: ProxyServer;
  readonly #kept: Agents;
  readonly #fresh: Agents;

  constructor(settings: HttpProxySettings, proxy: ProxyServer) {
    this.#settings = settings;
    this.#closing = { ...settings, httpKeepAlive: false };
    this.#kept = keptAgents(settings);
    this.#fresh = freshAgents(settings);
    this.#proxy = proxy;
    this.#proxy.on('proxyReq', (request, incoming, _response, _options, socket) => attemptOf(incoming)?.opened(request, socket));
    this.#proxy.on('proxyRes', (answer, incoming) => attemptOf(incoming)?.answered(answer));
  }

  send(exchange: Exchange, backend: Backend, fresh: boolean, report: AttemptReport): void {
    const startOver = () => this.send(exchange, backend, true, report);
    const preface = proxyPreface(exchange, backend);
    const settings = preface === null ? this.#settings : this.#closing;
    const attempt = new HttpProxyAttempt(settings, exchange, backend, report, startOver);
    exchange.upstream = attempt;
    try {
      const fitting = fresh || exchange.upgrade !== '' ? this.#fresh : this.#kept;
      const agents = preface === null ? fitting : agentsBy(() => dial(backend, null, this.#settings.trust, { preface }));
      if (exchange.upgrade === '') this.#forward(attempt, backend, agents);
      else this.#upgrade(attempt, exchange, backend, agents);
    } catch (error) {
      // node:http throws for what it cannot put into a head.
      attempt.failed(new ProxyError('internal', 'node:http refused the request', error));
    }
  }

  #forward(attempt: HttpProxyAttempt, backend: Backend, agents: Agents): void {
    const options = {
      ...behaviour,
      target: targetOf(backend),
      agent: agents[schemeOf(backend)],
      // What the package starts the options of its request from; it fills them in, so each request has its own.
      ssl: this.#connectOptions(backend),
    };
    const { stream, signal } = attempt;
    this.#proxy.web(stream.asIncomingMessage(), signal.asServerResponse(), options, (error) => attempt.failed(error));
  }

  #upgrade(attempt: HttpProxyAttempt, exchange: Exchange, backend: Backend, agents: Agents): void {
    const request = (speaksTls(backend) ? https : http).request({
      ...this.#connectOptions(backend),
      ...targetOf(backend),
      agent: agents[schemeOf(backend)],
      method: exchange.head.method,
    });
    request.on('socket', (socket: Socket) => attempt.opened(request, socket));
    request.on('response', (answer) => attempt.answered(answer));
    request.on('error', (error) => attempt.failed(error));
    attempt.signal.on('close', () => request.destroy());
    attempt.stream.pipe(request);
  }

  #connectOptions(backend: Backend): { maxHeaderSize: number; servername: string } {
    // The name of the backend is sent and verified, not the client's Host; an address is not sent (RFC 6066 section 3).
    return { maxHeaderSize: this.#settings.maxHeadBytes, servername: net.isIP(backend.host) === 0 ? backend.host : '' };
  }

  close(): void {
    closeIdle(this.#kept);
  }
}

/**
 * Creates the engine; its connections are its own.
 * @param proxy an instance of the package that others may use beside it
 */
export function createHttpProxyEngine(settings: HttpProxySettings, proxy: ProxyServer = new ProxyServer()): Engine {
  return new HttpProxyEngine(settings, proxy);
}

/** Given with each request, since the instance may be used for other ones too. */
const behaviour = { xfwd: false, changeOrigin: false, prependPath: false, toProxy: true, selfHandleResponse: true } as const;

/** Where a backend is, for the package and for node:http. */
export function targetOf(backend: Backend): Target {
  return {
    protocol: speaksTls(backend) ? 'https:' : 'http:',
    host: backend.host,
    port: backend.port,
    ...(backend.socketPath !== '' ? { socketPath: backend.socketPath } : {}),
  };
}

function schemeOf(backend: Backend): keyof Agents {
  return speaksTls(backend) ? 'https' : 'http';
}

function attemptOf(incoming: http.IncomingMessage): HttpProxyAttempt | null {
  return incoming instanceof RequestStream && incoming.owner instanceof HttpProxyAttempt ? incoming.owner : null;
}
