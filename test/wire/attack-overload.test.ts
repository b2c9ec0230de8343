// More work than the worker can do: new connections are told so at once, what runs is finished, and health stays green for a while.
import { afterEach, describe, expect, it } from 'vitest';
import { head } from '../contract/engine/world.js';
import { ok } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { useProxy } from './use-proxy.js';

const delay = 60;
let busy = false;

/** Keeps the event loop busy in turns of a length until `busy` is false: the proxy is in this process. */
function keepBusy(milliseconds: number): void {
  busy = true;
  const turn = (): void => {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
    if (busy) setImmediate(turn);
  };
  setImmediate(turn);
}

afterEach(() => {
  busy = false;
});

describe('an overload', () => {
  const wire = useProxy({ frontDoor: { overloadDelay: delay, overloadPatience: 60_000 } });

  it('sheds new connections, serves those that are there, and is over when it is over', async () => {
    const { world } = wire;
    const release: (() => void)[] = [];
    const backend = await world.backend((request, connection) => {
      if (request.target === '/held') release.push(() => connection.send(ok('finished')));
      else connection.send(ok('served'));
    });
    const host = await world.frontend(backend);
    const [running, kept] = [await world.client(), await world.client()];
    running.send(head('GET', '/held', host));
    kept.send(head('GET', '/', host));
    await kept.response();
    await eventually('the held request to arrive', () => release.length === 1);

    keepBusy(1.4 * delay);
    const shed = await eventually(
      'new connections to be shed',
      async () => {
        const answer = await world.get(host);
        return answer.status === 503 && answer;
      },
      10_000,
    );
    expect(shed.fields.get('x-cjs-proxy-error')).toBe('overloaded');
    expect(shed.fields.get('connection')).toBe('close');
    expect(Number(shed.fields.get('retry-after'))).toBeGreaterThan(0);
    expect((await world.get('__ping__')).text).toBe('ok');
    kept.send(head('GET', '/', host));
    expect((await kept.response()).text).toBe('served');
    release[0]?.();
    expect((await running.response()).text).toBe('finished');

    busy = false;
    await eventually('service to go on', async () => (await world.get(host)).status === 200, 10_000);
  });
});

describe('an overload that is twice the limit', () => {
  const wire = useProxy({ frontDoor: { overloadDelay: delay, overloadPatience: 0 } });

  it('sheds all new requests, and health fails once it has lasted', async () => {
    const { world } = wire;
    const host = await world.frontend(await world.backend(ok('served')));
    const kept = await world.client();
    kept.send(head('GET', '/', host));
    await kept.response();
    keepBusy(4 * delay);
    await eventually('health to fail', async () => (await world.get('__ping__')).status === 503, 10_000);
    // It begins with new connections, for as long as its mean is still low from the time before.
    const answer = await eventually('requests to be shed', async () => {
      kept.send(head('GET', '/', host));
      const response = await kept.response();
      return response.status === 503 && response;
    });
    expect(answer.fields.get('connection')).toBe('close');
    busy = false;
    await eventually('health to be back', async () => (await world.get('__ping__')).status === 200, 10_000);
  });
});
