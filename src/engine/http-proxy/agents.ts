// The connections of the http-proxy engine: agents of node:http, mended where an idle connection could spoil an answer.
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { HttpProxySettings } from './settings.js';

/** An agent a scheme, for all backends: it keeps its connections by address. */
export interface Agents {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

/** Agents whose connections are used for one request after another. */
export function keptAgents(settings: HttpProxySettings): Agents {
  const { maxSockets, backendIdleTimeout } = settings;
  const agents = createAgents(settings, {
    keepAlive: settings.httpKeepAlive,
    maxSockets: maxSockets > 0 ? maxSockets : Number.POSITIVE_INFINITY,
    scheduling: 'lifo',
    ...(backendIdleTimeout > 0 ? { timeout: backendIdleTimeout } : {}),
  });
  guard(agents.http);
  guard(agents.https);
  return agents;
}

/** Agents that make a connection for each request: for upgrades, and when a kept connection has just failed. */
export function freshAgents(settings: HttpProxySettings): Agents {
  // A tunnel's directions end one by one. The option is one of net.connect, which an agent passes on.
  const options = { keepAlive: false, allowHalfOpen: true };
  return createAgents(settings, options);
}

/** Agents of one request, whose connection is made in a way of its own. */
export function agentsBy(connect: () => Socket): Agents {
  const agents = { http: new http.Agent({ keepAlive: false }), https: new https.Agent({ keepAlive: false }) };
  for (const agent of [agents.http, agents.https]) agent.createConnection = connect;
  return agents;
}

/** Closes idle connections. */
export function closeIdle(agents: Agents): void {
  for (const agent of [agents.http, agents.https]) {
    for (const sockets of Object.values(agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
  }
}

function createAgents({ trust }: HttpProxySettings, options: http.AgentOptions): Agents {
  return {
    http: new http.Agent({ ...options, noDelay: true }),
    https: new https.Agent({
      ...options,
      noDelay: true,
      ...(trust.ca.length > 0 ? { ca: [...tls.rootCertificates, ...trust.ca] } : {}),
    }),
  };
}

/**
 * node:http does not listen to idle connections: what a backend says on one unasked would be read as the answer to the
 * next request. Here it costs the backend the connection.
 */
function guard(agent: http.Agent): void {
  const keep = agent.keepSocketAlive.bind(agent) as (socket: Duplex) => boolean;
  const reuse = agent.reuseSocket.bind(agent);
  agent.keepSocketAlive = (socket): boolean => {
    if (socket.readableLength > 0 || !keep(socket)) return false;
    socket.on('data', destroyUnasked);
    return true;
  };
  agent.reuseSocket = (socket, request) => {
    socket.off('data', destroyUnasked);
    reuse(socket, request);
  };
}

function destroyUnasked(this: Duplex): void {
  this.destroy();
}
