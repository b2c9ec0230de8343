// The fleet by its store: the operations behind the management API, done in this process, for machines that reach Redis and no API.
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { userInfo } from 'node:os';
import { openVault } from '../../certs/key-vault.js';
import type { Config } from '../../config/config.js';
import { maskDriverUrl } from '../../config/driver-url.js';
import { StartError } from '../../errors/start-error.js';
import { Changes } from '../../management/changes.js';
import type { Answer, Call, Endpoint } from '../../management/endpoint.js';
import { allEndpoints } from '../../management/endpoints.js';
import { Fleet as Nodes, notApplied } from '../../management/fleet.js';
import { Problem } from '../../management/problem.js';
import { readBody, readQuery } from '../../management/read-call.js';
import type { Workspace } from '../../management/workspace.js';
import { createStore } from '../../store/create-store.js';
import type { ManagedStore } from '../../store/managed-store.js';
import { type Fleet, type FleetCall, type FleetReply, Refusal } from './fleet.js';

export class StoreFleet implements Fleet {
  readonly place: string;
  readonly #store: ManagedStore;
  readonly #nodes: Nodes;
  readonly #workspace: Workspace;
  readonly #endpoints: readonly Endpoint[];
  #nodesKnown = false;

  private constructor(config: Config, store: ManagedStore) {
    this.place = maskDriverUrl(config.driver.read);
    this.#store = store;
    this.#nodes = new Nodes(store);
    this.#endpoints = allEndpoints(this.#nodes, new Changes(store));
    this.#workspace = {
      store,
      vault: openVault(config.https.storeKeys, config.https.storeKeyFile),
      author: { name: accountName(), address: '' },
      deadTtl: config.server.deadBackendTTL,
    };
  }

  /**
   * @param config of which `driver`, `redis`, and the secrets for private keys matter
   * @param log told what goes wrong with the connection
   * @throws StartError for a driver that cannot be used
   */
  static async open(config: Config, log: (text: string) => void): Promise<StoreFleet> {
    if (config.driver.read === 'memory:')
      throw new StartError('memory: lives in the node that serves from it: ask that node, by --api');
    const store = createStore(config, (level, text) => (level === 'error' ? log(text) : undefined), { followNodes: true });
    const fleet = new StoreFleet(config, store);
    try {
      await store.start({
        changed: () => undefined,
        nodeChanged: (id) => (fleet.#nodesKnown ? fleet.#nodes.nodeChanged(id) : undefined),
        everythingChanged: () => (fleet.#nodesKnown ? fleet.#nodes.everythingChanged() : undefined),
      });
    } catch (error) {
      await store.close();
      throw error;
    }
    return fleet;
  }

  async ask(call: FleetCall): Promise<FleetReply> {
    try {
      const { body, headers = {} } = await this.#perform(call);
      // As it would be read at the other end of a connection.
      const told: unknown = body === undefined ? undefined : JSON.parse(JSON.stringify(body));
      return { body: told, etag: headers.ETag ?? '', cursor: headers['X-Next-Cursor'] ?? '' };
    } catch (error) {
      throw this.#asRefusal(error);
    }
  }

  async *stream(call: FleetCall): AsyncIterable<string> {
    try {
      const { stream, body } = await this.#perform(call);
      if (stream === undefined) yield JSON.stringify(body);
      else for await (const piece of stream) yield String(piece);
    } catch (error) {
      throw this.#asRefusal(error);
    }
  }

  async close(): Promise<void> {
    this.#nodes.close();
    await this.#store.close();
  }

  async #perform({ method, path, query: written = {}, body: sent, ifMatch }: FleetCall): Promise<Answer> {
    if (path.startsWith('/nodes')) await this.#knowNodes();
    const { endpoint, params } = this.#find(method, path);
    const { waiting, query } = readQuery(endpoint, written);
    const body = readBody(endpoint, endpoint.document === true ? JSON.stringify(sent) : sent);
    const call: Call<never, never> = {
      workspace: this.#workspace,
      params,
      query: query as never,
      body: body as never,
      conditions: ifMatch === undefined ? {} : { ifMatch: [ifMatch] },
      // Nobody is at the other end of it.
      request: new IncomingMessage(new Socket()),
    };
    const answer = await endpoint.handle(call);
    if (waiting.wait && answer.revision !== undefined) await this.#waitFor(answer.revision, waiting.limit);
    return answer;
  }

  #find(method: FleetCall['method'], path: string): { readonly endpoint: Endpoint; readonly params: Record<string, string> } {
    const parts = path.split('/');
    for (const endpoint of this.#endpoints) {
      const places = endpoint.path.split('/');
      const params: Record<string, string> = {};
      const fits = places.every((place, at) => {
        const part = parts[at] ?? '';
        const name = /^\{(\w+)\}$/.exec(place)?.[1];
        if (name === undefined) return place === part;
        params[name] = decodeURIComponent(part);
        return part !== '';
      });
      if (fits && endpoint.method === method && places.length === parts.length) return { endpoint, params };
    }
    throw new Problem('not-found', 'There is no such resource');
  }

  async #waitFor(revision: number, limit: number): Promise<void> {
    await this.#knowNodes();
    const laggards = await this.#nodes.waitFor(revision, limit);
    if (laggards.length > 0) throw notApplied(revision, laggards);
  }

  async #knowNodes(): Promise<void> {
    this.#nodesKnown = true;
    await this.#nodes.load();
  }

  #asRefusal(error: unknown): unknown {
    if (error instanceof Problem) return new Refusal(error.status, error.message, error.faults, error);
    // What the driver says; anything else is a defect of the program and shows its stack.
    if (error instanceof Error && (error.message.includes('Redis') || 'command' in error))
      return new Refusal(0, `${this.place} cannot be asked: ${error.message}`, [], error);
    return error;
  }
}

/** Who works here, for the history. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}
