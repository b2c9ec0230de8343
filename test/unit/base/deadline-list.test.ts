import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DeadlineList } from '../../../src/base/deadline-list.js';

interface Member {
  slot: number;
  deadline: number;
  readonly name: string;
}

/** The faked one: what the sources import stays real. */
const now = () => globalThis.performance.now();

describe('a list of deadlines', () => {
  let told: string[] = [];
  const list = new DeadlineList<Member>((member, at) => {
    told.push(`${member.name}@${at}`);
    member.deadline = Number.POSITIVE_INFINITY;
  }, now);
  const member = (name: string, deadline: number): Member => ({ slot: -1, deadline, name });

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'], now: 0 });
    told = [];
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('tells deadlines in their order, whatever order they came in', () => {
    const start = performance.now();
    list.watch(member('late', start + 300));
    list.watch(member('early', start + 100));
    list.watch(member('middle', start + 200));
    vi.advanceTimersByTime(1000);
    expect(told).toEqual([`early@${start + 100}`, `middle@${start + 200}`, `late@${start + 300}`]);
  });

  it('tells nothing of a member that was removed', () => {
    const gone = member('gone', performance.now() + 50);
    list.watch(gone);
    list.remove(gone);
    vi.advanceTimersByTime(1000);
    expect(told).toEqual([]);
  });

  it('takes notice of a deadline that was brought forward, and of one that was put off', () => {
    const start = performance.now();
    const forward = member('forward', start + 900);
    const off = member('off', start + 100);
    list.watch(forward);
    list.watch(off);
    forward.deadline = start + 200;
    list.watch(forward);
    off.deadline = start + 500;
    list.watch(off);
    vi.advanceTimersByTime(1000);
    expect(told).toEqual([`forward@${start + 200}`, `off@${start + 500}`]);
  });

  it('needs one timer for ten thousand members with the same limit', () => {
    const start = performance.now();
    for (let at = 0; at < 10_000; at++) list.watch(member(`m${at}`, start + 100 + at / 1000));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(200);
    expect(told).toHaveLength(10_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('tells of none more than ten milliseconds late, and wakes no more often than that', () => {
    const start = performance.now();
    const late: number[] = [];
    const woken = new Set<number>();
    const dense = new DeadlineList<Member>((one, at) => {
      late.push(at - one.deadline);
      woken.add(at);
      one.deadline = Number.POSITIVE_INFINITY;
    }, now);
    for (let at = 0; at < 1000; at++) dense.watch(member(`${at}`, start + at));
    vi.advanceTimersByTime(2000);
    expect(late).toHaveLength(1000);
    expect(Math.max(...late)).toBeLessThanOrEqual(10);
    expect(woken.size).toBeLessThanOrEqual(102);
  });

  it('tells of a member again that sets itself a further deadline', () => {
    const start = performance.now();
    const times: number[] = [];
    const again = new DeadlineList<Member>((one, at) => {
      times.push(at - start);
      one.deadline = times.length < 3 ? at + 100 : Number.POSITIVE_INFINITY;
    }, now);
    again.watch(member('again', start + 100));
    vi.advanceTimersByTime(2000);
    expect(times).toEqual([100, 200, 300]);
  });
});
