import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { EventBus, type ProxyEvents } from '../../../src/observe/events.js';

const bus = () => {
  const faults: unknown[] = [];
  return { events: new EventBus((name, error) => faults.push([name, error])), faults };
};

describe('the bus', () => {
  it('gives an event to everybody who listens to its name, in the order in which they came', () => {
    const { events } = bus();
    const heard: string[] = [];
    events.on('route.changed', ({ vHost }) => heard.push(`first ${vHost}`));
    events.on('route.changed', ({ vHost }) => heard.push(`second ${vHost}`));
    events.on('proxy.closed', () => heard.push('another event'));
    events.emit('route.changed', { vHost: 'a.test' });
    expect(heard).toEqual(['first a.test', 'second a.test']);
  });

  it('says whether anybody listens, so that nobody has to make an event in vain', () => {
    const { events } = bus();
    const listener = () => {};
    expect(events.listens('route.changed')).toBe(false);
    events.on('route.changed', listener);
    events.on('route.changed', listener);
    events.off('route.changed', listener);
    expect(events.listens('route.changed')).toBe(true);
    events.off('route.changed', listener);
    expect(events.listens('route.changed')).toBe(false);
    events.off('route.changed', listener);
    expect(events.listens('backend.dead')).toBe(false);
  });

  it('tells of a listener that throws and goes on with the others', () => {
    const { events, faults } = bus();
    const mistake = new Error('a mistake');
    const other = vi.fn();
    events.on('route.changed', () => {
      throw mistake;
    });
    events.on('route.changed', other);
    events.emit('route.changed', { vHost: 'a.test' });
    expect(faults).toEqual([['route.changed', mistake]]);
    expect(other).toHaveBeenCalledOnce();
  });

  it('lets a listener leave while it is told, without taking the event from those behind it', () => {
    const { events } = bus();
    const other = vi.fn();
    const once = () => events.off('route.changed', once);
    events.on('route.changed', once);
    events.on('route.changed', other);
    events.emit('route.changed', { vHost: 'a.test' });
    events.emit('route.changed', { vHost: 'a.test' });
    expect(other).toHaveBeenCalledTimes(2);
  });

  it('knows the type of each event', () => {
    const { events } = bus();
    events.on('request.completed', (request) => {
      expectTypeOf(request.res.statusCode).toEqualTypeOf<number>();
      expectTypeOf(request.meta.targetId).toEqualTypeOf<string | undefined>();
      // @ts-expect-error a request that was completed has no error
      void request.error;
    });
    events.on('request.failed', (request) => expectTypeOf(request.error.source).toEqualTypeOf<'client' | 'backend' | 'proxy'>());
    events.on('backend.dead', (event) => expectTypeOf(event).toEqualTypeOf<ProxyEvents['backend.dead']>());
    // @ts-expect-error there is no such event
    events.on('request.complete', () => {});
    // @ts-expect-error an event needs what its name promises
    events.emit('route.changed', { host: 'a.test' });
  });
});
