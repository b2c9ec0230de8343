// Accepts plain client connections: all of them read into one buffer, and their sockets are made the cheap way.
//
// A read is handled to its end before the next one begins, so one buffer serves every connection of the worker: an idle
// connection holds none, and a read allocates nothing. What must outlive the handler is copied by whoever keeps it.
// Node offers `onread` for outgoing sockets only, and the options object with which it makes accepted ones gets a new
// hidden class each time (30 inline-cache misses, a third of the cost of a short connection). So the accepted handle is
// taken before Node makes a socket of it. Where a version of Node has no such place, 'connection' and 'data' events serve.
import net from 'node:net';
import type { ReadTarget } from '../upstream/dial.js';
import { type ListeningHandle, openTwins } from './twin-handles.js';

/** Connections that may wait for this process to accept them; the kernel's own limit holds besides. */
export const backlog = 1024;

const size = 64 * 1024;
const shared = Buffer.allocUnsafeSlow(size);

/** Takes what was read; the bytes are valid until it returns. */
export type BytesReceived = (chunk: Buffer) => void;

/** Is given each connection; returns who takes its bytes, or null when it refused the connection. */
export type Accepted = (socket: net.Socket) => BytesReceived | null;

type AcceptedHandle = { setNoDelay?: (on: boolean) => void };
type ServerHandle = Pick<ListeningHandle, 'onconnection'>;

/** A connection that reads into buffers of its own choice; made before there is a socket. */
export interface ReadingConnection extends ReadTarget {
  /** Takes the socket; `byEvents`: its bytes do not come by `bytesRead`, and have to be asked for with 'data'. */
  accepted(socket: net.Socket, byEvents: boolean): void;
}

/** Options that make Node 20's constructor add nothing, so that all sockets share their hidden classes; `handle` is not in its types. */
interface AcceptedOptions extends net.SocketConstructorOpts, net.ConnectOpts {
  readonly handle: AcceptedHandle;
  readonly emitClose: false;
  readonly autoDestroy: true;
  readonly decodeStrings: false;
}

/**
 * Starts to serve a server that is listening.
 * @param accepted null leaves the connections to Node
 * @returns ends the accepting beyond that of the server itself, which is for `server.close` to end; when it returns, no further handle
 *   is left, nor on its way
 */
export function acceptConnections(server: net.Server, accepted: Accepted | null): () => void {
  if (accepted === null) return acceptHandles(server, null, () => {});
  return acceptHandles(
    server,
    (handle) => accept(handle, accepted),
    () => acceptByEvents(server, accepted),
  );
}

/** As `acceptConnections`, for connections that choose what they read into. @param create makes one for each socket */
export function acceptInto(server: net.Server, create: () => ReadingConnection): () => void {
  return acceptHandles(
    server,
    (handle) => {
      const connection = create();
      const onread = { buffer: () => connection.nextBuffer(), callback: (length: number) => connection.bytesRead(length) };
      connection.accepted(socketOf(handle, onread), false);
    },
    () => server.on('connection', (socket) => create().accepted(socket, true)),
  );
}

/**
 * @param take makes a connection of a handle; null leaves that to Node
 * @param byEvents called once where Node has no such place
 */
function acceptHandles(server: net.Server, take: ((handle: AcceptedHandle) => void) | null, byEvents: () => void): () => void {
  const listening = (server as net.Server & { _handle?: ServerHandle | null })._handle;
  const usual = listening?.onconnection;
  if (listening === undefined || listening === null || typeof usual !== 'function') {
    byEvents();
    return () => {};
  }
  const onConnection = (status: number, handle: object | undefined): void => {
    // Errors, such as too many open files, are Node's to report.
    if (take === null || status !== 0 || handle === undefined) usual.call(listening, status, handle);
    else take(handle);
  };
  listening.onconnection = onConnection;
  let stopped = false;
  const serving: ListeningHandle[] = [];
  const endOpening = openTwins(listening, (twins) => {
    for (const twin of twins) {
      twin.onconnection = onConnection;
      if (!stopped && twin.listen(backlog) === 0) serving.push(twin);
      else twin.close();
    }
  });
  return () => {
    stopped = true;
    // As long as one is on its way the kernel holds the place.
    endOpening();
    for (const twin of serving.splice(0)) twin.close();
  };
}

function acceptByEvents(server: net.Server, accepted: Accepted): void {
  server.on('connection', (socket) => {
    const received = accepted(socket);
    if (received !== null) socket.on('data', received);
  });
}

const ignore: BytesReceived = () => {};

function accept(handle: AcceptedHandle, accepted: Accepted): void {
  let received = ignore;
  const socket = socketOf(handle, {
    buffer: shared,
    callback: (length) => {
      received(length === size ? shared : shared.subarray(0, length));
      return true;
    },
  });
  received = accepted(socket) ?? ignore;
}

function socketOf(handle: AcceptedHandle, onread: net.OnReadOpts): net.Socket {
  const options: AcceptedOptions = {
    handle,
    allowHalfOpen: true,
    emitClose: false,
    autoDestroy: true,
    decodeStrings: false,
    readable: true,
    writable: true,
    onread,
  };
  const socket = new net.Socket(options);
  handle.setNoDelay?.(true);
  return socket;
}
