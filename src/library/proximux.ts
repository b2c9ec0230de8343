// Proximux as a program uses it: a TCP multiplexer that is made, run, listened to and stopped.
import { EventEmitter } from 'node:events';
import { CoarseClock } from '../base/clock.js';
import { createAddressSet } from '../base/ip.js';
import type { StreamConfig } from '../config/stream-config.js';
import { StartError } from '../errors/start-error.js';
import { createStartProbe } from '../health/probe.js';
import { Connections } from '../listener/connections.js';
import { modeOf, parseStream, type StreamPlan } from '../model/stream.js';
import type { Logger } from '../observe/logger.js';
import { createStreamCounters } from '../observe/stream-counters.js';
import { textStreamLine } from '../observe/stream-line.js';
import { LocalAdmission } from '../queue/local-admission.js';
import { createFifoMode } from '../stream/fifo-mode.js';
import { createFunnelMode } from '../stream/funnel-mode.js';
import type { Multiplexer } from '../stream/multiplexer.js';
import { createProxyMode } from '../stream/proxy-mode.js';
import type { CreateStreamMode, StreamModeTable } from '../stream/stream.js';
import { TcpListener } from '../stream/tcp-listener.js';
import { FirstFreeTargets } from './first-free-targets.js';
import { checkProximuxConfig, type ProximuxConfig, type ProximuxSettings, readProximuxEnvironment } from './proximux-config.js';
import { type ProximuxEvents, ProximuxObserver } from './proximux-events.js';
import { createProximuxLogger, type ProximuxLogger } from './proximux-log.js';

export type { ProximuxConfig, ProximuxTarget } from './proximux-config.js';
export type { ProximuxEvents, ProximuxPeer } from './proximux-events.js';
export type { ProximuxLogger } from './proximux-log.js';

/** Bytes of one message, and of all that wait: no more than a person would call reasonable, no less than Proximux took. */
const mostBytes = 64 * 1024 * 1024;
const absent = { values: [], fault: '' };

/**
 * @example
 * const proximux = new Proximux(true, { logLevel: 2, localServerHost: '127.0.0.1', localServerPort: 9999,
 *   proxyConnectionsCount: 1, targetServers: [{ host: '10.0.0.7', port: 4444 }] });
 * await proximux.run();
 */
export class Proximux {
  readonly #settings: ProximuxSettings;
  readonly #warmup: boolean;
  readonly #emitter = new EventEmitter<ProximuxEvents>();
  readonly #logger: ProximuxLogger;
  #running: { readonly listener: TcpListener; readonly clock: CoarseClock } | null = null;
  #starting: Promise<void> | null = null;

  /**
   * @param warmup connects to all upstream servers before it listens; has no effect in proxy mode
   * @param config absent: the environment variables of this process
   * @throws ProximuxConfigError in one line for settings that cannot be used
   */
  constructor(warmup = false, config?: ProximuxConfig) {
    this.#warmup = warmup;
    this.#settings = checkProximuxConfig(config ?? readProximuxEnvironment(process.env));
    this.#logger = createProximuxLogger(this.#settings.logLevel, 'proximux');
  }

  getEventEmitter(): EventEmitter<ProximuxEvents> {
    return this.#emitter;
  }

  /** The port that it listens on, also where 0 was asked for; 0 while it is not running. */
  get port(): number {
    return this.#running?.listener.port ?? 0;
  }

  /**
   * Resolves when clients are served. A second call gives the first one's result.
   * @throws StartError in one line: the port is taken, an upstream server cannot be connected to
   */
  run(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** Ends all connections and the listening; it may be run again. Resolves also where it never ran. */
  async stop(): Promise<void> {
    // A start that fails has told its caller.
    await this.#starting?.catch(() => {});
    this.#starting = null;
    const running = this.#running;
    this.#running = null;
    running?.listener.close();
    running?.clock.stop();
  }

  async #start(): Promise<void> {
    const clock = new CoarseClock();
    const { listener, multiplexer, mode } = this.#create(clock);
    clock.start();
    try {
      if (this.#warmup && multiplexer !== null) await this.#warmUp(multiplexer);
      await listener.open();
    } catch (error) {
      listener.close();
      clock.stop();
      this.#starting = null;
      throw error;
    }
    this.#running = { listener, clock };
    this.#logger.info(`listening on ${this.#settings.localServerHost}:${listener.port} in mode ${mode}`);
  }

  async #warmUp(multiplexer: Multiplexer): Promise<void> {
    try {
      await multiplexer.warmUp();
    } catch (error) {
      throw new StartError(`cannot connect to all target servers: ${(error as Error).message}`, error);
    }
  }

  #create(clock: CoarseClock): { listener: TcpListener; multiplexer: Multiplexer | null; mode: string } {
    const config = streamConfig(this.#settings);
    const plan: StreamPlan = parseStream(config, absent, absent);
    const fault = plan.faults[0];
    if (fault !== undefined) throw new StartError(fault);
    const counters = createStreamCounters(config.name);
    const observer = new ProximuxObserver(this.#emitter, this.#settings.logLevel, this.#logger);
    const trust = { ca: [] };
    const log = streamLog(this.#logger);
    const targets = new FirstFreeTargets({
      plan,
      log,
      counters,
      startProbe: createStartProbe(trust),
      deadTime: 0,
      recoveryInterval: 0,
    });
    const connections = new Connections();
    clock.add(connections);
    let multiplexer: Multiplexer | null = null;
    /** A program is asked about each client before the mode gets it. */
    const observed =
      (create: CreateStreamMode): CreateStreamMode =>
      (parts) => {
        const mode = create({ ...parts, observer, clientsMayIdle: true });
        const accept = mode.accept.bind(mode);
        mode.accept = (client) => {
          if (observer.admits(client)) accept(client);
          else client.finish('blocked');
        };
        return mode;
      };
    const modes: StreamModeTable = {
      proxy: observed(createProxyMode),
      fifo: observed((parts) => (multiplexer = createFifoMode(parts))),
      funnel: observed((parts) => (multiplexer = createFunnelMode(parts))),
    };
    const listener = new TcpListener({
      config,
      plan,
      modes,
      targets,
      blocked: { refuses: () => false },
      trusted: createAddressSet([]),
      trust,
      admission: new LocalAdmission(),
      all: null,
      workers: 1,
      connections,
      clock,
      counters,
      log,
      accessLog: { enabled: false, line: () => {} },
      lineFormat: textStreamLine,
      headTimeout: this.#settings.connectTimeout,
    });
    return { listener, multiplexer, mode: plan.mode };
  }
}

/** The stream that a Proximux is. */
function streamConfig(settings: ProximuxSettings): StreamConfig {
  const clients = Math.max(0, settings.localServerMaxConnections);
  const { targetServers } = settings;
  const mode = modeOf({ mode: 'auto', maxConnections: clients }, targetServers.length);
  return {
    name: 'proximux',
    address: settings.localServerHost,
    port: settings.localServerPort,
    ipv6Only: settings.localServerIpv6Only,
    path: '',
    proxyProtocol: false,
    tls: null,
    routes: [],
    // One connection each, in all modes: to keep their number down is what Proximux is for.
    targets: targetServers.map(({ host, port, keepAlive }) => {
      return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}#max=1&keepAlive=${keepAlive ? 1 : 0}`;
    }),
    settings: {
      mode,
      strategy: 'RANDOM',
      maxConnections: clients,
      overflow: 'drop',
      waitTimeout: 0,
      targetConnections: 0,
      connections: 0,
      async: settings.exchangeFunnelAsync,
      framing: settings.framing,
      maxMessage: mostBytes,
      maxWaiting: mostBytes,
      inactivityTimeout: Math.max(0, settings.proxyInactivityTimeout),
      connectTimeout: settings.connectTimeout,
      keepAlive: 0,
      retries: 0,
      sendProxyProtocol: 'none',
      checkInterval: 0,
      cutBlocked: false,
      secure: false,
      specTimeout: 0,
      responseTimeout: 0,
      '404': false,
      '500': false,
      '504': false,
    },
  };
}

/** Diagnostics of the stream, as lines of Proximux. */
function streamLog(logger: ProximuxLogger): Logger {
  return {
    debug: (text) => logger.debug(text),
    info: (text) => logger.info(text),
    warn: (text) => logger.error(text),
    error: (text) => logger.error(text),
  };
}
