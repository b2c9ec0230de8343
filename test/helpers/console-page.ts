// A page of the documentation whose examples are sessions at a shell: blocks of `console` with commands and what they print.
import { readFileSync } from 'node:fs';

/** A command and what stands below it; empty: it is not said what it prints. */
export interface ConsoleStep {
  readonly command: string;
  readonly output: string;
}

/** A part of the page under one heading of the second level; the part before the first of them has an empty title. */
export interface ConsoleSection {
  readonly title: string;
  readonly steps: readonly ConsoleStep[];
}

/** Reads a page. Parts without commands are left out. */
export function readConsolePage(path: string): ConsoleSection[] {
  return readFileSync(path, 'utf8')
    .split(/^## /m)
    .map((part, at) => ({ title: at === 0 ? '' : part.slice(0, part.indexOf('\n')), steps: stepsOf(part) }))
    .filter(({ steps }) => steps.length > 0);
}

function stepsOf(part: string): ConsoleStep[] {
  const steps: { command: string; output: string }[] = [];
  for (const [, block = ''] of part.matchAll(/^```console\n(.*?)^```$/gms)) {
    for (const line of block.split('\n').slice(0, -1)) {
      const last = steps.at(-1);
      if (line.startsWith('$ ')) steps.push({ command: line.slice(2), output: '' });
      else if (last === undefined) throw new Error(`a block begins with ${line}, which is no command`);
      else last.output += `${line}\n`;
    }
  }
  return steps;
}

/** What `…` stands for differs from run to run; everything else has to be the same. */
export function asPattern(output: string): RegExp {
  const literal = output.trimEnd().replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('…', '.+?')}$`);
}
