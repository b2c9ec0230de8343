// `cjs-proxy node …`: the machines that serve, as they tell once a second.
import type { NodeHeartbeat } from '../../model/node.js';
import { exitCodes } from '../command-error.js';
import { recordPath } from '../fleet/fleet.js';
import { duration } from '../output/quantities.js';
import { Table } from '../output/table.js';
import type { Session } from '../session.js';

const path = '/nodes';

export async function listNodes(session: Session): Promise<number> {
  const nodes = await session.read<readonly NodeHeartbeat[]>(path);
  if (session.json) {
    session.print(JSON.stringify(nodes));
    return exitCodes.done;
  }
  if (nodes.length === 0) {
    session.note('no node is there; start one with `cjs-proxy`');
    return exitCodes.done;
  }
  const left = ['NODE', 'STATE', 'VERSION', 'UP'].map((title) => ({ title }));
  const right = ['WORKERS', 'REVISION', 'ACTIVE', 'CLIENTS'].map((title) => ({ title, align: 'right' as const }));
  const table = new Table([...left, ...right, { title: 'ADDRESSES' }]);
  session.print(table.lines(nodes.map((node) => rowOf(node, Date.now()))).join('\n'));
  return exitCodes.done;
}

/** Takes a node out until it is given back. */
export async function drainNode(session: Session, [id = '']: readonly string[]): Promise<number> {
  await session.write({ method: 'post', path: recordPath(path, id, 'drain') });
  session.tell(`${id} is out until \`node alive\``, { drained: id });
  return exitCodes.done;
}

export async function giveNodeBack(session: Session, [id = '']: readonly string[]): Promise<number> {
  await session.write({ method: 'delete', path: recordPath(path, id, 'drain') });
  session.tell(`${id} is given back`, { alive: id });
  return exitCodes.done;
}

function rowOf(node: NodeHeartbeat, now: number): string[] {
  const { id, version, startedAt, workers, revision, active, connections, addresses } = node;
  const numbers = [workers, revision, active, connections].map(String);
  return [id, stateOf(node), version, duration(Math.max(0, now - startedAt)), ...numbers, addresses.join(' ')];
}

function stateOf({ phase, drained, staleness }: NodeHeartbeat): string {
  const out = drained === true ? ['out'] : [];
  const cutOff = staleness > 0 ? [`store away for ${duration(staleness)}`] : [];
  return [phase, ...out, ...cutOff].join(', ');
}
