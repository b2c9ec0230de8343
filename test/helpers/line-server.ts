// A TCP server that answers lines, the upstream of tests of `fifo` and `funnel`: it counts its connections and can be told to
// answer late, in pieces, not at all, or to break off.
import { once } from 'node:events';
import net from 'node:net';

/** What the server does with a line: gives what it wrote, or writes and closes itself. */
export type LineHandler = (line: string, socket: net.Socket) => string | Promise<string | null> | null;

export interface LineServer {
  readonly port: number;
  /**
   * Connections that were ever accepted, and the most that were open at a time. One whose end has arrived is not open, though this process
   * has yet to read it: a new one is counted when all that had come before it was read.
   */
  readonly accepted: number;
  readonly most: number;
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<net.Socket>;
  /** All lines, in the order of their coming. */
  readonly lines: readonly string[];
  close(): Promise<void>;
}

/** Answers `name` with `re:name` unless a handler says otherwise; lines of one connection are answered in order. */
export async function startLineServer(handle: LineHandler = (line) => `re:${line}\n`, port = 0): Promise<LineServer> {
  const sockets = new Set<net.Socket>();
  const open = new Set<net.Socket>();
  const lines: string[] = [];
  let accepted = 0;
  let most = 0;
  const server = net.createServer((socket) => {
    accepted++;
    sockets.add(socket);
    open.add(socket);
    // The end of an older connection may stand behind this one in the same turn of the event loop, or in the next one, where that was
    // accepted in this turn as well.
    setImmediate(() =>
      setImmediate(() => {
        most = Math.max(most, open.size);
      }),
    );
    socket.on('error', () => open.delete(socket));
    socket.on('end', () => open.delete(socket));
    socket.on('close', () => {
      open.delete(socket);
      sockets.delete(socket);
    });
    let rest = '';
    let turn = Promise.resolve();
    socket.setEncoding('latin1').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        turn = turn.then(async () => {
          const answer = await handle(line, socket);
          if (answer !== null && socket.writable) socket.write(answer, 'latin1');
        });
      }
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: bound } = server.address() as net.AddressInfo;
  return {
    port: bound,
    get accepted() {
      return accepted;
    },
    get most() {
      return most;
    },
    sockets,
    lines,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
