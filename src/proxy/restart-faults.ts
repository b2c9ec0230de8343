// What of a new configuration cannot be taken over by a running node, and has to wait for a restart.
import type { Bind, Config } from '../config/config.js';

/** One line for each fault; none: the node can go over to the new configuration. */
export function restartFaults(current: Config, next: Config): string[] {
  const faults: string[] = [];
  if ((current.server.workers === 0) !== (next.server.workers === 0)) {
    faults.push(
      `server.workers is ${next.server.workers}, and was ${current.server.workers}: one process and several are different programs`,
    );
  }
  const before = bindsOf(current);
  const after = bindsOf(next);
  for (const bind of after) {
    const held = before.find(
      (other) => !isSame(bind, other) && overlap(bind, other) && !before.some((same) => isSame(bind, same)),
    );
    if (held !== undefined) {
      faults.push(`${formatBind(bind)} cannot be listened on as long as ${formatBind(held)} is: the system refuses both at once`);
    } else if (before.some((other) => isSame(bind, other) && leavesIpv4(bind, before) !== leavesIpv4(bind, after))) {
      faults.push(`${formatBind(bind)} is open already, with other addresses of IPv4 than it would have now`);
    }
  }
  return faults;
}

function bindsOf({ http, https, streams, admin }: Config): readonly Bind[] {
  return [...http.bind, ...https.bind, ...streams, ...(admin.port === 0 ? [] : [admin])];
}

function isSame(one: Bind, other: Bind): boolean {
  return one.address === other.address && one.port === other.port;
}

/** Whether one of them stands for all addresses, the other's among them. */
function overlap(one: Bind, other: Bind): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  return covers(one, other) || covers(other, one);
}

function covers({ address }: Bind, other: Bind): boolean {
  if (address === '::') return true;
  return address === '0.0.0.0' && !other.address.includes(':');
}

function leavesIpv4({ address, port }: Bind, binds: readonly Bind[]): boolean {
  return address === '::' && binds.some((other) => other.address === '0.0.0.0' && other.port === port);
}

function formatBind({ address, port }: Bind): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
