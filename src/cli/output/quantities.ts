// Numbers as people read them.

/** `1.2k`, `34M`: three digits and a letter. */
export function quantity(number: number): string {
  const units = ['', 'k', 'M', 'G', 'T', 'P'];
  let value = number;
  let at = 0;
  while (Math.abs(value) >= 999.5 && at < units.length - 1) {
    value /= 1_000;
    at += 1;
  }
  const digits = at === 0 && Number.isInteger(value) ? 0 : Math.abs(value) < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)}${units[at]}`;
}

/** `250ms`, `42s`, `3m10s`, `5h2m`, `12d3h`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)}ms`;
  const seconds = Math.floor(milliseconds / 1_000);
  const steps: readonly (readonly [unit: string, seconds: number])[] = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ];
  const first = steps.findIndex(([, size]) => seconds >= size);
  return steps
    .slice(first, first + 2)
    .map(([unit, size], at) => ({ unit, amount: Math.floor((at === 0 ? seconds : seconds % (steps[first]?.[1] ?? 1)) / size) }))
    .filter(({ amount }, at) => at === 0 || amount > 0)
    .map(({ unit, amount }) => `${amount}${unit}`)
    .join('');
}

/** Milliseconds of latencies: `0.42`, `3.1`, `250`. */
export function latency(milliseconds: number): string {
  return milliseconds.toFixed(milliseconds < 1 ? 2 : milliseconds < 10 ? 1 : 0);
}
