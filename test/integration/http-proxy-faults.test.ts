// The engine over the package http-proxy meets a silence that nobody could hear.
import { expect, it } from 'vitest';
import { ok } from '../helpers/backend.js';
import { useProxy } from '../wire/use-proxy.js';

const backendTimeout = 300;
const wire = useProxy({ server: { engine: 'http-proxy', backendTimeout } });

it('does not hold it against a backend that this process stood still while its answer came', async () => {
  const { world } = wire;
  const backend = await world.backend((_request, connection) => {
    connection.send(ok('in time'));
    const until = performance.now() + 2 * backendTimeout;
    while (performance.now() < until);
  });
  const answer = await world.get(await world.frontend(backend));
  expect([answer.status, answer.text]).toEqual([200, 'in time']);
});
