// Counters of limits in Redis: scripts that it keeps by their digest, sent whole only when it does not know them.
//
// Among many clients each tells its points seldom, all of them together often. What is asked in one turn of the event loop goes as one
// command, which costs little more than one counter does by itself; what nobody waits for goes with what comes in the next milliseconds.
import { createHash } from 'node:crypto';
import type { Commands } from '../redis/commands.js';
import type { RedisKeys } from '../redis/keys.js';
import { asError, shortReason } from '../redis/redis-errors.js';
import type { StoreCounters } from './store.js';

/** A script runs alone on its server: so many counters take it well below a millisecond. */
const mostTogether = 128;

/** What is done, for errors. */
export const doing = 'counting for a limit';

interface Asked {
  readonly key: string;
  readonly args: readonly string[];
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Runs commands on the side that is written to. */
type Run = <T>(work: (commands: Commands) => Promise<T>) => Promise<T>;

/** @param together whether one command may be about any keys; in a cluster, where they lie in different slots, each goes by itself */
export function createRedisCounters(keys: RedisKeys, run: Run, together: boolean): StoreCounters {
  const scripts = new Map<string, CounterScript>();
  let later: NodeJS.Timeout | null = null;
  let soon = false;

  /** What is asked for first is counted first, also by different scripts: all of them send. */
  function sendAll(): void {
    if (later !== null) clearTimeout(later);
    later = null;
    soon = false;
    for (const script of scripts.values()) script.send();
  }

  function sendWithin(milliseconds: number): void {
    if (milliseconds > 0) {
      later ??= setTimeout(sendAll, milliseconds);
    } else if (!soon) {
      soon = true;
      setImmediate(sendAll);
    }
  }

  return {
    run: (script, name, args, patience) => {
      let known = scripts.get(script);
      if (known === undefined) {
        known = new CounterScript(script, run, together ? mostTogether : 1);
        scripts.set(script, known);
      }
      const asked = known.ask(keys.limit(name), args);
      sendWithin(known.waiting < mostTogether ? patience : 0);
      return asked;
    },
  };
}

/** One script, and what is asked of it and was not sent yet. */
class CounterScript {
  readonly #script: string;
  readonly #digest: string;
  readonly #run: Run;
  readonly #most: number;
  #asked: Asked[] = [];

  /** @param most counters in one command */
  constructor(script: string, run: Run, most: number) {
    this.#script = script;
    this.#digest = createHash('sha1').update(script).digest('hex');
    this.#run = run;
    this.#most = most;
  }

  get waiting(): number {
    return this.#asked.length;
  }

  ask(key: string, args: readonly string[]): Promise<unknown> {
    return new Promise((resolve, reject) => this.#asked.push({ key, args, resolve, reject }));
  }

  send(): void {
    const all = this.#asked;
    if (all.length === 0) return;
    this.#asked = [];
    for (let at = 0; at < all.length; at += this.#most) {
      const asked = all.slice(at, at + this.#most);
      // Each command fails for its own counters alone: those of another primary may have been counted.
      this.#run((commands) => this.#runFor(commands, asked)).catch((error: unknown) => {
        for (const { reject } of asked) reject(error);
      });
    }
  }

  /** Rejects where none of them was answered. */
  async #runFor(commands: Commands, asked: readonly Asked[]): Promise<void> {
    const rest = [asked.length, ...asked.map(({ key }) => key), ...asked.flatMap(({ args }) => args)];
    let replies: unknown;
    try {
      replies = await commands.one(['EVALSHA', this.#digest, ...rest]);
    } catch (error) {
      // New to this server, or it was started anew.
      if (!asError(error).message.startsWith('NOSCRIPT')) throw error;
      replies = await commands.one(['EVAL', this.#script, ...rest]);
    }
    for (const [at, { resolve, reject }] of asked.entries()) {
      const reply = (replies as readonly unknown[])[at];
      if (reply instanceof Error) reject(new Error(`${doing} in Redis failed: ${shortReason(reply)}`, { cause: reply }));
      else resolve(reply);
    }
  }
}
