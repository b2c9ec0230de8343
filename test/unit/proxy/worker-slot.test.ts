import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Backoff } from '../../../src/base/backoff.js';
import type { WorkerEvents } from '../../../src/proxy/fork-worker.js';
import { WorkerSlot } from '../../../src/proxy/worker-slot.js';
import { testConfig } from '../../helpers/start-proxy.js';

/** Processes that the slot started, oldest first; each records its orders and is played by the test. */
interface PlayedProcess extends WorkerEvents {
  readonly orders: string[];
  killed: boolean;
}

const node = { id: 'one', boot: 'first', pid: 1, startedAt: 0 };
const address = { address: '127.0.0.1', port: 8080, secure: false };

function playSlot(mayRetry = true) {
  const processes: PlayedProcess[] = [];
  const lines: string[] = [];
  const failures: string[] = [];
  const note = (text: string) => void lines.push(text);
  const slot = new WorkerSlot({
    order: { kind: 'start', workerId: 1, config: testConfig(), identity: null, node },
    fork: (events) => {
      const process: PlayedProcess = { ...events, orders: [], killed: false };
      processes.push(process);
      return {
        pid: 100 + processes.length,
        send: (order) => void process.orders.push(order.kind),
        kill: () => {
          process.killed = true;
        },
      };
    },
    backoff: new Backoff(100, 10_000, () => 1),
    owner: {
      serving: () => {},
      failed: (reason) => {
        failures.push(reason);
        return mayRetry;
      },
      lost: () => true,
      gone: () => {},
      heard: () => {},
    },
    logger: { debug: note, info: note, warn: note, error: note },
  });
  const nth = (index: number): PlayedProcess => processes[index] ?? expect.fail(`there is no process ${index}`);
  return { slot, processes, lines, failures, nth };
}

describe('a slot of a worker', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('gives a process its order when that listens', () => {
    const { slot, nth } = playSlot();
    slot.start();
    expect(nth(0).orders).toEqual([]);
    nth(0).said({ kind: 'ready' });
    expect(nth(0).orders).toEqual(['start']);
  });

  it('sends a process away that listens only after the stop', () => {
    const { slot, nth } = playSlot();
    slot.start();
    slot.stop();
    nth(0).said({ kind: 'ready' });
    expect(nth(0).orders).toEqual(['drain', 'drain']);
  });

  it('replaces a crashed process after a delay that grows with each crash', () => {
    const { slot, processes, nth } = playSlot();
    slot.start();
    for (const [crash, delay] of [100, 200, 400, 800].entries()) {
      nth(crash).said({ kind: 'serving', addresses: [address] });
      nth(crash).gone('signal SIGKILL');
      vi.advanceTimersByTime(delay - 1);
      expect(processes).toHaveLength(crash + 1);
      vi.advanceTimersByTime(1);
      expect(processes).toHaveLength(crash + 2);
    }
  });

  it('forgets earlier crashes once a process served for a minute', () => {
    const { slot, processes, nth } = playSlot();
    slot.start();
    nth(0).said({ kind: 'serving', addresses: [address] });
    nth(0).gone('exit code 1');
    vi.advanceTimersByTime(100);
    nth(1).said({ kind: 'serving', addresses: [address] });
    vi.advanceTimersByTime(60_000);
    nth(1).gone('exit code 1');
    vi.advanceTimersByTime(100);
    expect(processes).toHaveLength(3);
  });

  it('asks its owner before it tries again after a failed start, and passes on what the process said', () => {
    const { slot, processes, failures, nth } = playSlot(false);
    slot.start();
    nth(0).said({ kind: 'refused', message: 'cannot listen on 127.0.0.1:80' });
    nth(0).gone('exit code 1');
    vi.advanceTimersByTime(60_000);
    expect(failures).toEqual(['cannot listen on 127.0.0.1:80']);
    expect(processes).toHaveLength(1);
  });

  it('keeps trying a failed start when its owner wants that', () => {
    const { slot, processes, lines, nth } = playSlot();
    slot.start();
    nth(0).said({ kind: 'refused', message: 'cannot listen on 127.0.0.1:80' });
    nth(0).gone('exit code 1');
    vi.advanceTimersByTime(100);
    nth(1).gone('exit code 1');
    vi.advanceTimersByTime(200);
    expect(processes).toHaveLength(3);
    expect(lines[0]).toContain('could not start (cannot listen on 127.0.0.1:80)');
  });

  it('retires an overweight process only when its replacement serves, and without a time limit', () => {
    const { slot, nth } = playSlot();
    slot.start();
    nth(0).said({ kind: 'serving', addresses: [address] });
    nth(0).said({ kind: 'overweight', rss: 5e8 });
    expect(nth(0).orders).toEqual([]);
    nth(1).said({ kind: 'serving', addresses: [address] });
    expect(nth(0).orders).toEqual(['retire']);
  });

  it('starts one replacement however often the process says that it is overweight', () => {
    const { slot, processes, nth } = playSlot();
    slot.start();
    nth(0).said({ kind: 'serving', addresses: [address] });
    nth(0).said({ kind: 'overweight', rss: 5e8 });
    nth(0).said({ kind: 'overweight', rss: 5e8 });
    nth(1).said({ kind: 'serving', addresses: [address] });
    nth(0).said({ kind: 'overweight', rss: 5e8 });
    expect(processes).toHaveLength(2);
  });

  it('fills no place when a retired process leaves', () => {
    const { slot, processes, nth } = playSlot();
    slot.start();
    nth(0).said({ kind: 'serving', addresses: [address] });
    nth(0).said({ kind: 'overweight', rss: 5e8 });
    nth(1).said({ kind: 'serving', addresses: [address] });
    nth(0).gone('exit code 0');
    vi.advanceTimersByTime(60_000);
    expect(processes).toHaveLength(2);
    expect(slot.empty).toBe(false);
  });

  it('keeps the overweight process when its replacement does not come up', () => {
    const { slot, processes, nth } = playSlot();
    slot.start();
    nth(0).said({ kind: 'serving', addresses: [address] });
    nth(0).said({ kind: 'overweight', rss: 5e8 });
    nth(1).gone('exit code 1');
    vi.advanceTimersByTime(60_000);
    expect(nth(0).orders).toEqual([]);
    expect(processes).toHaveLength(2);
    nth(0).said({ kind: 'overweight', rss: 5e8 });
    expect(processes).toHaveLength(3);
  });

  it('lets the replacement take the place of an overweight process that crashes meanwhile', () => {
    const { slot, processes, nth } = playSlot();
    slot.start();
    nth(0).said({ kind: 'serving', addresses: [address] });
    nth(0).said({ kind: 'overweight', rss: 5e8 });
    nth(0).gone('signal SIGSEGV');
    nth(1).said({ kind: 'serving', addresses: [address] });
    vi.advanceTimersByTime(60_000);
    expect(processes).toHaveLength(2);
    nth(1).gone('signal SIGSEGV');
    vi.advanceTimersByTime(100);
    expect(processes).toHaveLength(3);
  });

  it('gives every process time to finish when it is stopped, and starts none afterwards', () => {
    const { slot, processes, nth } = playSlot();
    slot.start();
    nth(0).said({ kind: 'serving', addresses: [address] });
    nth(0).said({ kind: 'overweight', rss: 5e8 });
    nth(1).said({ kind: 'serving', addresses: [address] });
    slot.stop();
    expect(nth(0).orders).toEqual(['retire', 'drain']);
    expect(nth(1).orders).toEqual(['drain']);
    nth(1).gone('exit code 0');
    expect(slot.empty).toBe(false);
    nth(0).gone('exit code 0');
    expect(slot.empty).toBe(true);
    vi.advanceTimersByTime(60_000);
    expect(processes).toHaveLength(2);
  });

  it('starts nothing when it is stopped while it waits to try again', () => {
    const { slot, processes, nth } = playSlot();
    slot.start();
    nth(0).said({ kind: 'serving', addresses: [address] });
    nth(0).gone('exit code 1');
    slot.stop();
    vi.advanceTimersByTime(60_000);
    expect(processes).toHaveLength(1);
  });

  it('puts a fresh process in the place of another, which goes once the fresh one serves', async () => {
    const { slot, nth } = playSlot();
    slot.start();
    nth(0).said({ kind: 'serving', addresses: [address] });
    const replaced = slot.replace();
    expect(nth(0).orders).toEqual([]);
    nth(1).said({ kind: 'serving', addresses: [address] });
    expect(await replaced).toBe(true);
    expect(nth(0).orders).toEqual(['yield']);
    vi.advanceTimersByTime(testConfig().server.drainTimeout + 2_000);
    expect(nth(0).killed).toBe(true);
    expect(nth(1).killed).toBe(false);
  });

  it('keeps the process when the fresh one does not come up, and says so', async () => {
    const { slot, nth, lines } = playSlot();
    slot.start();
    nth(0).said({ kind: 'serving', addresses: [address] });
    const replaced = slot.replace();
    nth(1).gone('exit code 1');
    expect(await replaced).toBe(false);
    expect(nth(0).orders).toEqual([]);
    expect(lines.join()).toContain('did not come up (exit code 1)');
  });

  it('has replaced a process that crashes before the fresh one serves', async () => {
    const { slot, nth } = playSlot();
    slot.start();
    nth(0).said({ kind: 'serving', addresses: [address] });
    const replaced = slot.replace();
    nth(0).gone('signal SIGSEGV');
    nth(1).said({ kind: 'serving', addresses: [address] });
    expect(await replaced).toBe(true);
  });

  it('replaces nothing once it is stopped', async () => {
    const { slot, nth, processes } = playSlot();
    slot.start();
    nth(0).said({ kind: 'serving', addresses: [address] });
    const replaced = slot.replace();
    slot.stop();
    expect(await replaced).toBe(false);
    expect(await slot.replace()).toBe(false);
    expect(processes).toHaveLength(2);
  });
});
