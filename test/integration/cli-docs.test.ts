// docs/cli.md, done as an operator does it: from an empty Redis to two nodes that serve a site.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { runStory } from '../helpers/doc-story.js';

it('takes fewer than ten commands from an empty Redis to two nodes with a certificate, a tier and a canary', () => {
  const [story = ''] = readFileSync('docs/cli.md', 'utf8').split('That is all');
  const blocks = [...story.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  const commands = blocks.flatMap((text) => text.split('\n')).filter((line) => line !== '' && !line.startsWith('# '));
  expect(commands.length).toBeGreaterThan(0);
  expect(commands.length).toBeLessThan(10);
});

it('works as docs/cli.md says', () => runStory('cli.md', { ports: [8081, 8090, 8443, 8453] }));

it('works as the README says, which tells the same', () => {
  const blocks = (page: string): string[] =>
    [...readFileSync(page, 'utf8').matchAll(/^```(?:sh|json)\n[\s\S]*?^```$/gm)].map(([text]) => text);
  const told = blocks('README.md');
  expect(told).toHaveLength(4);
  expect(blocks('docs/cli.md').slice(0, told.length)).toEqual(told);
});
