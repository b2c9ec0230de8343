// Nodes that somebody takes out: whoever asks one whether it is ready is told no, until it is given back.
import type { Workspace } from '../workspace.js';
import { writeRecords } from './write-records.js';

/** @param on whether the node goes out, or comes back */
export async function drainNode(workspace: Workspace, id: string, on: boolean): Promise<{ readonly revision: number }> {
  const deed = { action: on ? 'drain' : 'give back', target: `node ${id}` };
  const { revision } = await writeRecords(workspace, deed, [{ kind: 'drained', name: '' }], ([set]) => {
    const others = (set?.values ?? []).filter((one) => one !== id);
    return { after: [on ? [...others, id].sort() : others] };
  });
  return { revision };
}
