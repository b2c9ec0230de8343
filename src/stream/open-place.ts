// Opens the listening socket of a stream: an address and port, or a unix socket, where one that nobody serves any more is replaced.
import { unlinkSync } from 'node:fs';
import net from 'node:net';
import type { StreamConfig } from '../config/stream-config.js';
import { StartError } from '../errors/start-error.js';
import { backlog } from '../listener/accept.js';

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; stop it or choose another place',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'permission denied; ports below 1024 need root (or CAP_NET_BIND_SERVICE)',
  ENOENT: 'its directory does not exist',
};

type Place = Pick<StreamConfig, 'name' | 'address' | 'port' | 'path' | 'ipv6Only'>;

/** @throws StartError in one line when the place cannot be had */
export async function openPlace(server: net.Server, place: Place): Promise<void> {
  try {
    await listen(server, place);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (place.path !== '' && code === 'EADDRINUSE') {
      // Left behind by a process that was killed; or a sibling was faster to replace it, and shares it with us.
      if (!(await isServed(place.path))) removeQuietly(place.path);
      try {
        await listen(server, place);
        return;
      } catch {
        // The reason is still that of the first attempt.
      }
    }
    throw new StartError(
      `stream ${place.name}: cannot listen on ${placeText(place)}: ${reasons[code] ?? (error as Error).message}`,
    );
  }
}

function placeText({ address, port, path }: Pick<Place, 'address' | 'port' | 'path'>): string {
  if (path !== '') return `unix:${path}`;
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function listen(server: net.Server, { address, port, path, ipv6Only = false }: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const listening = (): void => {
      server.off('error', reject);
      resolve();
    };
    if (path === '') server.listen({ host: address, port, backlog, ipv6Only }, listening);
    else server.listen({ path, backlog }, listening);
  });
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    const tell = (served: boolean) => () => {
      socket.destroy();
      resolve(served);
    };
    socket.once('connect', tell(true));
    socket.once('error', (error: NodeJS.ErrnoException) => tell(error.code !== 'ECONNREFUSED')());
  });
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Whether it could be removed shows when the place is asked for again.
  }
}
