// Further handles of a listening socket, so that more than one waiting connection is accepted in each turn of the event loop.
//
// libuv takes one connection a turn from each handle. Under load a turn lasts milliseconds, so that a burst of 500
// clients would stand in the kernel's queue for a second. A handle that is sent over a pipe arrives as a duplicate with
// a descriptor of its own, also when both ends of the pipe are in this process. Node documents neither the pipe nor the
// handles: where they are not as expected, the one handle serves alone.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A listening handle below a server of Node. */
export interface ListeningHandle {
  onconnection?: (status: number, handle: object | undefined) => void;
  listen(backlog: number): number;
  close(): void;
}

interface PipeHandle {
  readonly fd: number;
  bind(path: string): number;
  listen(backlog: number): number;
  open(fd: number): number;
  connect(request: object, path: string): number;
  readStart(): number;
  writeUtf8String(request: object, text: string, handle: object): number;
  close(): void;
  onconnection?: (status: number, handle: PipeHandle) => void;
  onread?: () => void;
  pendingHandle?: ListeningHandle | null;
}

interface PipeBinding {
  readonly Pipe: new (kind: number) => PipeHandle;
  readonly PipeConnectWrap: new () => { oncomplete?: (status: number) => void };
  readonly constants: { readonly SERVER: number; readonly IPC: number };
}

interface StreamBinding {
  readonly WriteWrap: new () => { oncomplete?: (status: number) => void };
}

/** Connections accepted in a turn, for a waiting one costs the others a vain look: more would make single ones dearer. */
const twinCount = 7;

/**
 * Gives duplicates of a listening handle, which do not listen yet, or none where they cannot be had.
 * @param done called once, later, or when it is ended before
 * @returns ends it: duplicates that are on their way are closed, and `done` is told of those that have come
 */
export function openTwins(handle: object, done: (twins: readonly ListeningHandle[]) => void): () => void {
  const twins: ListeningHandle[] = [];
  const closing: { close(): void }[] = [];
  let over = false;
  const finish = (): void => {
    if (over) return;
    over = true;
    for (const pipe of closing.splice(0)) pipe.close();
    done(twins.splice(0));
  };
  try {
    const { Pipe, PipeConnectWrap, constants } = internalBinding<PipeBinding>('pipe_wrap');
    const { WriteWrap } = internalBinding<StreamBinding>('stream_wrap');
    const server = new Pipe(constants.SERVER);
    const sender = new Pipe(constants.IPC);
    closing.push(server, sender);
    server.onconnection = (status, accepted) => {
      if (status !== 0) {
        finish();
        return;
      }
      // Only a pipe made for it receives handles: it takes over the descriptor of the accepted one, which is left alone.
      const receiver = new Pipe(constants.IPC);
      receiver.open(accepted.fd);
      closing.push(receiver);
      receiver.onread = () => {
        const twin = receiver.pendingHandle;
        receiver.pendingHandle = null;
        if (twin !== undefined && twin !== null) twins.push(twin);
        if (twin === undefined || twin === null || twins.length === twinCount) finish();
      };
      receiver.readStart();
      for (let sent = 0; sent < twinCount; sent++) {
        if (sender.writeUtf8String(new WriteWrap(), '\n', handle) === 0) continue;
        // The listener was closed meanwhile. Pipes that wait for what never comes would keep the process alive.
        finish();
        return;
      }
    };
    const connected = new PipeConnectWrap();
    connected.oncomplete = (status) => {
      if (status !== 0) finish();
    };
    if (!connectPair(server, sender, connected)) finish();
  } catch {
    finish();
  }
  return finish;
}

/** Joins two pipes over a path that is gone when this returns: the connection is made at once, and accepted later. */
function connectPair(server: PipeHandle, sender: PipeHandle, request: object): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'cjs-proxy-'));
  try {
    const path = join(folder, 'twins');
    return server.bind(path) === 0 && server.listen(1) === 0 && sender.connect(request, path) >= 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function internalBinding<T>(name: string): T {
  return (process as unknown as { binding(name: string): T }).binding(name);
}
