// Numbers by name, as processes of a node tell them to each other: what is counted or true of a worker as a whole.

/** By the name of a metric and the values of its labels; `figureKey` makes the keys. */
export type Figures = Readonly<Record<string, number>>;

const separator = '\t';

/** @param labels values, in the order of the metric's labels */
export function figureKey(metric: string, ...labels: readonly string[]): string {
  return [metric, ...labels].map((part) => part.replaceAll(separator, ' ')).join(separator);
}

/** The name of the metric, and the values of its labels. */
export function partsOfFigureKey(key: string): readonly [metric: string, ...labels: string[]] {
  const [metric = '', ...labels] = key.split(separator);
  return [metric, ...labels];
}

/** What counters have grown by, as far as they have. */
export function growth(now: Figures, before: Figures): Figures {
  const grown: Record<string, number> = {};
  for (const [key, value] of Object.entries(now)) {
    const more = value - (before[key] ?? 0);
    if (more > 0) grown[key] = more;
  }
  return grown;
}
