// How long a look-up is waited for: as long as a server that is well takes to reply, and not for one that hangs.

import { performance } from 'node:perf_hooks';

/** What came of a wait: `late` is a look-up that goes on. */
export type Outcome<T> = T | 'late';

/** Milliseconds at least that a request waits which could be answered by what is known. */
const forKnown = 30;
/** So many times as long as the usual reply may one take: a server that is far away is no silent one. */
const multiple = 4;
/** Replies whose quickest is the usual one: a worker that was busy, or a server that hung once, says nothing of the way between them. */
const remembered = 4;
/** Look-ups under way at one time; more than this many only pile up when a store is slow, and then nobody is helped by waiting. */
export const mostLookups = 1024;
/** With so many under way no further one waits for a server that is silent: it would take the place of one for a server that is well. */
const mostWhileSilent = 64;

/** What is known of one server. */
interface Server {
  readonly replies: number[];
  /** By `performance.now()`. */
  repliedAt: number;
  /** Look-ups that are late and have not ended. */
  late: number;
  /** A look-up was late, and it has not replied to any since. */
  silent: boolean;
}

/** Each server of a store is judged by itself: one that hangs is no reason not to wait for the others, nor are they one to wait for it. */
export class Patience {
  readonly #forStrangers: number;
  readonly #servers = new Map<string, Server>();
  #started = false;

  /** @param forStrangers milliseconds at least that a request waits which nothing is known for */
  constructor(forStrangers: number) {
    this.#forStrangers = forStrangers;
  }

  /** One of these servers lets a look-up wait: whoever can be answered by what is known does not. */
  isOut(servers: readonly string[]): boolean {
    return servers.some((name) => {
      const server = this.#servers.get(name);
      return server !== undefined && (server.late > 0 || server.silent);
    });
  }

  /** How many look-ups may be under way for a further one of these servers to begin. */
  most(servers: readonly string[]): number {
    return this.isOut(servers) ? mostWhileSilent : mostLookups;
  }

  /** A server has replied. @param took milliseconds that a look-up has taken; absent: it was none that tells what is usual */
  replied(name: string, took?: number): void {
    const server = this.#server(name);
    server.repliedAt = performance.now();
    server.silent = false;
    if (took === undefined) return;
    if (server.replies.push(took) >= remembered) this.#started = true;
    if (server.replies.length > remembered) server.replies.shift();
  }

  /**
   * Waits for a look-up, which goes on if it is late. Rejects as the look-up does.
   * @param known whether there is something to answer by without it
   * @param waitsFor gives the servers that it waits for at the moment
   */
  async wait<T>(looking: Promise<T>, known: boolean, waitsFor: () => readonly string[]): Promise<Outcome<T>> {
    // A worker that has just started is slow itself, and nothing is usual yet: what it is asked then shall not be lost. A command ends by
    // itself, too.
    if (!this.#started) return looking;
    const begun = performance.now();
    const usual = waitsFor().map((name) => Math.min(...this.#server(name).replies));
    const longest = Math.max(
      known ? forKnown : this.#forStrangers,
      ...usual.map((took) => (took < Infinity ? multiple * took : 0)),
    );
    let outcome = await within(looking, longest);
    // A server that has replied to others meanwhile is busy, not silent: who has nothing else to be answered by waits for its silence.
    while (outcome === 'late' && !known) {
      const servers = waitsFor();
      // All of them have replied.
      if (servers.length === 0) return looking;
      const left = Math.min(...servers.map((name) => this.#server(name).repliedAt)) + longest - performance.now();
      if (left <= 0) break;
      outcome = await within(looking, left);
    }
    if (outcome === 'late') this.#isLate(looking, begun, waitsFor());
    return outcome;
  }

  #isLate(looking: Promise<unknown>, begun: number, names: readonly string[]): void {
    const servers = names.map((name) => this.#server(name));
    const silent = servers.filter(({ repliedAt }) => repliedAt < begun);
    for (const server of silent) server.silent = true;
    const blamed = silent.length > 0 ? silent : servers;
    for (const server of blamed) server.late += 1;
    const ended = (): void => {
      for (const server of blamed) server.late -= 1;
    };
    looking.then(ended, ended);
  }

  #server(name: string): Server {
    let server = this.#servers.get(name);
    if (server === undefined) {
      server = { replies: [], repliedAt: Number.NEGATIVE_INFINITY, late: 0, silent: false };
      this.#servers.set(name, server);
    }
    return server;
  }
}

async function within<T>(looking: Promise<T>, milliseconds: number): Promise<Outcome<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    // Where it was this process that was busy, the reply is there already: it is taken before the verdict.
    timer = setTimeout(() => setImmediate(() => resolve('late')), milliseconds);
  });
  try {
    return await Promise.race([looking, late]);
  } finally {
    clearTimeout(timer);
  }
}
