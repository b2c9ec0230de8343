// What nodes have counted, in the memory of one process.
import { type NodeStatsRecord, type StatsHead, statsLast } from '../model/node-stats.js';

interface Kept {
  readonly head: StatsHead;
  readonly fields: Map<string, Buffer>;
  readonly writtenAt: number;
}

export class MemoryStats {
  readonly #kept = new Map<string, Kept>();

  /** As `Store.writeStats`. @param now milliseconds since the epoch */
  write(id: string, head: StatsHead, fields: ReadonlyMap<string, Buffer>, now: number): StatsHead | null {
    const before = this.#valid(id, now);
    const kept = { head, fields: before?.fields ?? new Map<string, Buffer>(), writtenAt: now };
    for (const [name, value] of fields) {
      if (value.length === 0) kept.fields.delete(name);
      else kept.fields.set(name, value);
    }
    this.#kept.set(id, kept);
    return before?.head ?? null;
  }

  /** As `Store.readStats`. */
  read({ id, fields: wanted }: { readonly id?: string; readonly fields?: readonly string[] }, now: number): NodeStatsRecord[] {
    return [...this.#kept.keys()].sort().flatMap((node) => {
      const kept = id === undefined || id === node ? this.#valid(node, now) : null;
      if (kept === null) return [];
      const fields = [...kept.fields].filter(([name]) => wanted === undefined || wanted.includes(name));
      return [{ id: node, head: kept.head, age: now - kept.writtenAt, fields: new Map(fields) }];
    });
  }

  #valid(id: string, now: number): Kept | null {
    const kept = this.#kept.get(id);
    return kept === undefined || now - kept.writtenAt >= statsLast ? null : kept;
  }
}
