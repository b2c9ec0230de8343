// Loaded into each process of a node: writes once a second how many timers keep it busy, for whoever looks for leaks.
import { renameSync, writeFileSync } from 'node:fs';

const folder = process.env.CHAOS_RESOURCES;
/** Looks that are taken together: what comes and goes is in some of them, what leaks is in all. */
const looks = 10;

if (folder !== undefined) {
  const file = `${folder}/${process.pid}`;
  let counts = [];
  setInterval(() => {
    counts.push(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length);
    if (counts.length < looks) return;
    writeFileSync(`${file}.new`, String(Math.min(...counts)));
    renameSync(`${file}.new`, file);
    counts = [];
  }, 100).unref();
}
