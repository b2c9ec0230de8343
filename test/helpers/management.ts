// A management API in this process: its store, its application and its listener on a free port of 127.0.0.1.
import type { ApiConfig, Config } from '../../src/config/config.js';
import { createManagement, type Management } from '../../src/management/create-management.js';
import { listen } from '../../src/management/listen.js';
import type { Logger } from '../../src/observe/logger.js';
import { createStore } from '../../src/store/create-store.js';
import type { ManagedStore } from '../../src/store/managed-store.js';
import { recordingLogger } from './recording-logger.js';
import { testConfig } from './start-proxy.js';

/** An answer. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON; undefined where there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at by what they should be
  readonly body: any;
}

/** An API that runs. */
export interface TestApi {
  readonly url: string;
  readonly store: ManagedStore;
  readonly management: Management;
  /** Lines that were logged. */
  readonly lines: readonly string[];
  /** Calls below `/api/v1`. */
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<ApiAnswer>;
  close(): Promise<void>;
}

/** @param driver `memory:` or a Redis URL */
export async function startApi(
  driver: string,
  api: Partial<ApiConfig> = {},
  more: { readonly logger?: Logger; readonly config?: Partial<Config> } = {},
): Promise<TestApi> {
  const base = testConfig({ driver });
  const config: Config = { ...base, ...more.config, api: { ...base.api, ...api } };
  const recorded = recordingLogger();
  const logger = more.logger ?? recorded.logger;
  const store = createStore(config, (level, text) => logger[level](text), { followNodes: true });
  const management = createManagement({ config, store, logger });
  await store.start(management.listener);
  await management.begin();
  const listener = await listen(config.api, management.app);
  return {
    url: listener.url,
    store,
    management,
    get lines() {
      return recorded.lines.map((line) => JSON.stringify(line));
    },
    async call(method, path, body, headers = {}) {
      const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
      const type = body === undefined ? {} : { 'content-type': 'application/json' };
      const response = await fetch(`${listener.url}/api/v1${path}`, { method, headers: { ...type, ...headers }, ...sent });
      const text = await response.text();
      const json = /json/.test(response.headers.get('content-type') ?? '');
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? undefined : json ? JSON.parse(text) : text,
      };
    },
    async close() {
      management.close();
      await listener.close();
      await store.close();
    },
  };
}
