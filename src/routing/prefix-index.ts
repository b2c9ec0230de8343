// Which frontends with a path prefix exist: names in memory, found by a scan and kept up by what the store tells.
import type { FrontendRecord } from '../model/frontend.js';
import { prefixMatchOf } from '../model/policy/routing.js';
import type { Store } from '../store/store.js';
import { normaliseHost } from './host-name.js';
import { normalPrefix } from './path-normal.js';
import { depthOf, type PathPrefix, PrefixSet } from './path-prefix.js';

export interface PrefixIndexOptions {
  readonly store: Pick<Store, 'state' | 'scanNames' | 'readFrontends' | 'remembered'>;
  /** Told once of each name that cannot be served, and of a scan that fails. */
  readonly log: (text: string) => void;
  /** A host has got its first prefix, or lost its last. */
  readonly onHosts: () => void;
}

/** Records that are read at a time to see whether a frontend is still there and how its prefix is matched. */
const checkedAtOnce = 100;
/** Up to so many names are all read after a scan; of more, those with a policy are searched for. */
const readAtOnce = 1_000;
/** How long requests wait for the first scan, in milliseconds; what is known by then has to do. */
const longestWait = 5_000;
/** After a scan that the server has refused. */
const retryAfter = 30_000;
const longestPrefix = 1_024;
const mostSegments = 64;
const maxNotes = 1_000;

/**
 * Holds each name that may have a list: a name that is told is taken at once and looked at afterwards, so that no request
 * misses it. Whoever serves a request reads the record itself, which decides.
 */
export class PrefixIndex {
  readonly #options: PrefixIndexOptions;
  readonly #hosts = new Map<string, PrefixSet>();
  readonly #notes = new Set<string>();
  /** To be looked at. */
  readonly #unchecked = new Set<PathPrefix>();
  #checking: Promise<void> | null = null;
  #scanning: Promise<void> | null = null;
  /** A further scan is wanted when the one that runs has ended. */
  #again = false;
  #scans = 0;
  #ready = false;
  #wait: Promise<void> | null = null;
  #retry: NodeJS.Timeout | undefined;
  #size = 0;

  constructor(options: PrefixIndexOptions) {
    this.#options = options;
  }

  /** Names that are held. */
  get size(): number {
    return this.#size;
  }

  /** Whether all names are known, as far as they can be. */
  get ready(): boolean {
    return this.#ready;
  }

  /** The prefixes of a host name as frontends have it (`example.com`, `*.example.com`, `*`, `example.com:8080`), or undefined. */
  of(host: string): PrefixSet | undefined {
    return this.#hosts.get(host);
  }

  /** Resolves when the first scan has ended, or takes too long. While the store is away it resolves, too: there is nothing to wait for. */
  async whenReady(): Promise<void> {
    if (this.#ready) return;
    const scanning = this.#scanning ?? this.#startScan();
    this.#wait ??= new Promise((resolve) => {
      setTimeout(() => {
        if (!this.#ready && this.#options.store.state !== 'away') {
          this.#ready = true;
          this.#note(`the search for path prefixes takes more than ${longestWait / 1000} s; those found by now are served`);
        }
        this.#wait = null;
        resolve();
      }, longestWait).unref();
    });
    await Promise.race([scanning, this.#wait]);
  }

  /** Something of a frontend has changed. */
  changed(name: string): void {
    const prefix = this.#take(name);
    if (prefix === null) return;
    prefix.version++;
    this.#check(prefix);
  }

  /** Anything may have changed: what is known stays in force until the scan has ended. */
  everythingChanged(): void {
    if (this.#scanning !== null) this.#again = true;
    else if (this.#options.store.state !== 'away') void this.#startScan();
    else this.#ready = false;
  }

  #startScan(): Promise<void> {
    clearTimeout(this.#retry);
    const began = performance.now();
    this.#scanning = this.#scan().finally(() => {
      this.#scanning = null;
      if (!this.#again) return;
      this.#again = false;
      // Where the store is polled, a scan may take longer than the pause between two; no more than half of the time is spent on it.
      this.#retry = setTimeout(() => void this.#startScan(), performance.now() - began).unref();
    });
    return this.#scanning;
  }

  /** Never rejects. Names that are not seen again are gone. */
  async #scan(): Promise<void> {
    const { store } = this.#options;
    this.#scans++;
    try {
      await store.scanNames('frontend', '/', (names) => {
        for (const name of names) this.#take(name);
      });
      for (const set of [...this.#hosts.values()]) {
        for (const prefix of [...set]) {
          if (prefix.seen !== this.#scans) this.#remove(prefix);
          // What its policy said may be said no longer. Where there are few, to read them all is less than to search for policies.
          else if (prefix.inString || this.#size <= readAtOnce) this.#check(prefix);
        }
      }
      if (this.#size > readAtOnce) {
        await store.scanNames('route', '/', (names) => {
          for (const name of names) this.#checkKnown(name);
        });
      }
      await this.#checking;
      this.#ready = true;
    } catch (error) {
      this.#ready = store.state !== 'away';
      // The next request that finds the store back begins anew.
      if (!this.#ready) return;
      const reason = error instanceof Error ? error.message : String(error);
      this.#note(`frontends with a path prefix cannot be searched for, only those that change are served: ${reason}`);
      this.#retry = setTimeout(() => void this.#startScan(), retryAfter).unref();
    }
  }

  /** Holds a name, if a request can ask for it. */
  #take(name: string): PathPrefix | null {
    const slash = name.indexOf('/');
    if (slash === -1) return null;
    const host = name.slice(0, slash);
    const written = name.slice(slash);
    let set = this.#hosts.get(host);
    const known = set?.get(written === '/' ? '' : written);
    if (known !== undefined) {
      known.seen = this.#scans;
      return known;
    }
    // Not each of them is a frontend: a lock of PlanB's, `dead:<host>:<url>`, looks like one.
    const prefix = isHost(host) ? this.#normal(name, host, written) : null;
    if (prefix === null) return null;
    if (set === undefined) {
      set = new PrefixSet();
      this.#hosts.set(host, set);
      this.#options.onHosts();
    }
    const entry: PathPrefix = { name, prefix, inString: false, seen: this.#scans, version: 0 };
    set.add(entry);
    this.#size++;
    return entry;
  }

  /** The prefix of a name, or null where it is not written as it is looked for. */
  #normal(name: string, host: string, written: string): string | null {
    if (/[?#]/.test(written)) return this.#refuse(name, 'a prefix has no ? and no #');
    const prefix = normalPrefix(written);
    if (prefix.length > longestPrefix || depthOf(prefix) > mostSegments)
      return this.#refuse(name, `a prefix has at most ${longestPrefix} characters and ${mostSegments} segments`);
    return written === prefix || written === '/' ? prefix : this.#refuse(name, `write it as frontend:${host}${prefix}`);
  }

  #refuse(name: string, reason: string): null {
    this.#note(`frontend:${name} is not served: ${reason}`);
    return null;
  }

  #remove(prefix: PathPrefix): void {
    const host = hostOf(prefix);
    const set = this.#hosts.get(host);
    if (set?.get(prefix.prefix) !== prefix) return;
    set.delete(prefix);
    this.#size--;
    if (set.size > 0) return;
    this.#hosts.delete(host);
    this.#options.onHosts();
  }

  #checkKnown(name: string): void {
    const slash = name.indexOf('/');
    const prefix = this.#hosts.get(name.slice(0, slash))?.get(name.slice(slash === name.length - 1 ? name.length : slash));
    if (prefix !== undefined) this.#check(prefix);
  }

  #check(prefix: PathPrefix): void {
    this.#unchecked.add(prefix);
    this.#checking ??= this.#checkAll().finally(() => {
      this.#checking = null;
    });
  }

  /** Looks at what was told, as much at a time as one round trip is good for. Never rejects. */
  async #checkAll(): Promise<void> {
    // Changes that are told together are looked at together.
    await Promise.resolve();
    while (this.#unchecked.size > 0) {
      const some: PathPrefix[] = [];
      for (const prefix of this.#unchecked) {
        if (some.push(prefix) === checkedAtOnce) break;
      }
      for (const prefix of some) this.#unchecked.delete(prefix);
      const versions = some.map((prefix) => prefix.version);
      try {
        const records = await this.#recordsOf(some);
        some.forEach((prefix, at) => {
          const record = records[at];
          if (record === undefined || prefix.version !== versions[at]) return;
          // A key of the wrong type stands in the way as a list does.
          if (record.list.length === 0 && record.fault === '') this.#remove(prefix);
          else this.#match(prefix, prefixMatchOf(record.policy));
        });
      } catch {
        // All is scanned anew when the store is back.
        this.#unchecked.clear();
      }
    }
  }

  /** While the store is away, what it remembers. */
  async #recordsOf(prefixes: readonly PathPrefix[]): Promise<readonly (FrontendRecord | undefined)[]> {
    const { store } = this.#options;
    const names = prefixes.map(({ name }) => name);
    try {
      return await store.readFrontends(names);
    } catch (error) {
      if (store.state !== 'away' || store.remembered === undefined) throw error;
      return names.map((name) => store.remembered?.(name));
    }
  }

  #match(prefix: PathPrefix, how: 'segment' | 'string'): void {
    const set = this.#hosts.get(hostOf(prefix));
    if (set?.get(prefix.prefix) === prefix) set.match(prefix, how);
  }

  #note(text: string): void {
    if (this.#notes.has(text) || this.#notes.size >= maxNotes) return;
    this.#notes.add(text);
    this.#options.log(text);
  }
}

function hostOf({ name }: PathPrefix): string {
  return name.slice(0, name.indexOf('/'));
}

/** Whether a name is looked up for some request. */
function isHost(name: string): boolean {
  if (name === '*') return true;
  const plain = name.startsWith('*.') ? name.slice(2) : name;
  const host = normaliseHost(plain);
  if (host === null) return false;
  return plain === (host.port === '' ? host.host : `${host.host}:${host.port}`) && (plain === name || host.port === '');
}
