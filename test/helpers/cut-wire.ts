// A wire between a node and its Redis that can be cut: nothing that is sent comes through, and nobody is told.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface CutWire {
  /** Its near end. */
  readonly port: number;
  /** From now on connections go to this port of 127.0.0.1. @returns the driver URL of the near end */
  to(port: number): string;
  cut(): void;
  mend(): void;
  close(): void;
}

export async function startCutWire(): Promise<CutWire> {
  const sockets = new Set<Socket>();
  let whole = true;
  let target = 0;
  const server: Server = createServer((client) => {
    const far = connect({ port: target, host: '127.0.0.1' });
    for (const [from, to] of [
      [client, far],
      [far, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => {
        if (whole) to.write(data);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: near } = server.address() as AddressInfo;
  return {
    port: near,
    to: (port) => {
      target = port;
      return `redis://127.0.0.1:${near}`;
    },
    cut: () => {
      whole = false;
    },
    mend: () => {
      // What was swallowed is missing on the connections that were there: as after a real cut, they are of no use any more.
      for (const socket of sockets) socket.destroy();
      whole = true;
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
