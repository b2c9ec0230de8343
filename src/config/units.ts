// Durations and sizes as people write them in a configuration: "30s", "1m30s", "500ms", "64KiB".

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const bytes: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1_024,
  kb: 1_000,
  kib: 1_024,
  m: 1_048_576,
  mb: 1_000_000,
  mib: 1_048_576,
  g: 1_073_741_824,
  gb: 1_000_000_000,
  gib: 1_073_741_824,
};

/**
 * Reads a duration. A text without a unit counts seconds, as every number of Hipache's file does.
 * @returns milliseconds, or null where the text is no duration
 */
export function parseDuration(text: string): number | null {
  const written = text.trim();
  if (/^\d+(\.\d+)?$/.test(written)) return Number(written) * 1_000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(written)) return null;
  let sum = 0;
  for (const [, amount, unit] of written.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    sum += Number(amount) * (milliseconds[unit as string] as number);
  }
  return sum;
}

/**
 * Reads a size. `K`, `M` and `G` alone are powers of 1024, as in nginx and HAProxy.
 * @returns bytes, or null where the text is no size or no whole number of bytes
 */
export function parseSize(text: string): number | null {
  const parts = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const factor = bytes[(parts?.[2] ?? '').toLowerCase()];
  if (parts === null || factor === undefined) return null;
  const size = Number(parts[1]) * factor;
  return Number.isSafeInteger(size) ? size : null;
}
