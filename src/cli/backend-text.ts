// Backends as people write them, which is as Redis has them: `http://10.0.0.1:3000#id=a&weight=2`, `10.0.0.1:3000`, `unix:/run/app.sock`.
import type { BackendBody } from '../management/operations/schemas.js';
import { speaksTls } from '../model/backend.js';
import { parseBackend } from '../model/parse-backend.js';
import { CommandError, exitCodes } from './command-error.js';

/** @throws CommandError that says what is wrong */
export function backendOf(text: string): BackendBody {
  const parsed = parseBackend(text, 0);
  if (parsed.kind === 'fault') throw new CommandError(`${JSON.stringify(text)}: the backend ${parsed.text}`, exitCodes.usage);
  const { scheme, host, port, socketPath, weight, backup, group, proxyProtocol, id } = parsed.backend;
  const named = /[#&]id=/.test(text);
  return {
    ...(named ? { id } : {}),
    ...(socketPath === '' ? { hostname: host, port } : { socket: socketPath }),
    ...(scheme === 'http' ? {} : { protocol: scheme }),
    ...(weight === 1 ? {} : { weight }),
    ...(backup ? { backup } : {}),
    ...(group === '' ? {} : { group }),
    ...(proxyProtocol === 'none' ? {} : { proxyProtocol }),
  };
}

/** Where a backend is: `10.0.0.1:3000`, `https://10.0.0.1:443`, `unix:/run/app.sock`. */
export function addressOf({ hostname = '', port, socket, protocol = 'http' }: BackendBody): string {
  if (socket !== undefined) return `unix:${socket}`;
  const host = hostname.includes(':') ? `[${hostname}]` : hostname;
  return `${protocol === 'http' ? '' : `${protocol}://`}${host}:${port ?? (speaksTls({ scheme: protocol }) ? 443 : 80)}`;
}
