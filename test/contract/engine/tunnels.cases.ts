// Tunnels: both directions to their ends, however they end.
import { expect } from 'vitest';
import { eventually, pause, settled } from '../../helpers/eventually.js';
import { echo, switching, webSocket } from './upgrade.cases.js';
import { type CaseGroup, head, pattern } from './world.js';

export const tunnelCases: CaseGroup = {
  title: 'tunnels',
  cases: [
    {
      title: 'lets a client end its direction and still hear the backend',
      async run(world) {
        const backend = await world.backend(async (request, connection) => {
          connection.send(switching(request));
          const { bytes, end } = await connection.queue.rest();
          connection.end(`${bytes.toString('latin1')} and ${end}`);
        });
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend), ...webSocket));
        await client.head();
        client.send('all I have');
        client.end();
        const { bytes, end } = await client.queue.rest();
        expect(bytes.toString('latin1')).toBe('all I have and end');
        expect(end).toBe('end');
        await eventually('the backend connection to close', () => backend.open === 0);
      },
    },
    {
      title: 'lets a backend end its direction and still hear the client',
      async run(world) {
        const heard: string[] = [];
        const backend = await world.backend(async (request, connection) => {
          connection.send(switching(request));
          connection.end('that is all');
          heard.push((await connection.queue.rest()).bytes.toString('latin1'));
        });
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend), ...webSocket));
        await client.head();
        expect((await client.queue.rest()).bytes.toString('latin1')).toBe('that is all');
        client.send('but I have more');
        client.end();
        await eventually('the backend to hear it', () => heard.length === 1);
        expect(heard).toEqual(['but I have more']);
        await eventually('the backend connection to close', () => backend.open === 0);
      },
    },
    {
      title: 'loses nothing of what is on its way when the second direction ends',
      async run(world) {
        const bytes = pattern(16_000_000);
        const heard: Buffer[] = [];
        let mayRead = false;
        const backend = await world.backend(async (request, connection) => {
          connection.send(switching(request));
          connection.end();
          connection.socket.pause();
          await eventually('the sign to read', () => mayRead);
          connection.socket.resume();
          heard.push((await connection.queue.rest()).bytes);
        });
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend), ...webSocket));
        await client.head();
        expect(await client.ended()).toBe('end');
        client.send(bytes);
        client.end();
        await settled(() => client.socket.writableLength);
        mayRead = true;
        await eventually('the backend to hear it', () => heard.length === 1);
        expect(heard[0]?.length).toBe(bytes.length);
        expect(heard[0]?.equals(bytes)).toBe(true);
      },
    },
    {
      title: 'carries much in both directions at once',
      async run(world) {
        const bytes = pattern(8_000_000);
        const backend = await world.backend(echo);
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend), ...webSocket));
        await client.head();
        const back = client.queue.take(bytes.length);
        await client.sendAll(bytes);
        expect((await back).equals(bytes)).toBe(true);
      },
    },
    {
      title: 'cuts the backend when the client of a tunnel is gone',
      async run(world) {
        const backend = await world.backend(echo);
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend), ...webSocket));
        await client.head();
        client.reset();
        await eventually('the backend connection to close', () => backend.open === 0);
      },
    },
    {
      title: 'cuts the client when the backend of a tunnel is gone',
      async run(world) {
        const backend = await world.backend((request, connection) => {
          connection.send(switching(request));
          setTimeout(() => connection.reset(), 50);
        });
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend), ...webSocket));
        await client.head();
        await client.ended();
        client.close();
      },
    },
    {
      title: 'does not count the silence of a tunnel against the backend',
      settings: { server: { backendTimeout: 500 } },
      async run(world) {
        const backend = await world.backend(echo);
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend), ...webSocket));
        await client.head();
        await pause(1200);
        client.send('still there?');
        expect((await client.queue.take(12)).toString('latin1')).toBe('still there?');
      },
    },
    {
      title: 'closes a tunnel that was silent for its time',
      settings: { server: { tunnelTimeout: 500 } },
      async run(world) {
        const backend = await world.backend(echo);
        const client = await world.client();
        client.send(head('GET', '/', await world.frontend(backend), ...webSocket));
        await client.head();
        await client.ended();
        await eventually('the backend connection to close', () => backend.open === 0);
      },
    },
  ],
};
