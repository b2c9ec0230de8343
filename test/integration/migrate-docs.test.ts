// The pages about coming over from other proxies: every file and every command that they show does what they say.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allSettings } from '../../src/config/schema.js';
import { streamSettingFields } from '../../src/config/schema-streams.js';
import { parsePolicy } from '../../src/model/policy/policy.js';
import { runStory, type StoryOptions } from '../helpers/doc-story.js';

const stories: Readonly<Record<string, StoryOptions>> = {
  'migrate-from-hipache.md': {},
  'migrate-from-planb.md': {},
  'migrate-from-cjs-proxy.md': {},
  'migrate-from-proxima.md': { ports: [3443, 8081, 8443] },
  'migrate-from-dynamic-reverse-proxy.md': {},
  'migrate-from-proximux.md': { ports: [7000, 7001, 7002] },
  'migrate-from-traefik-redis.md': { ports: [7003] },
  'migrate-from-nginx.md': { ports: [8081] },
};

/** What stands in the column of today of all tables: single words, and words with a dot between them. */
function tableNames(page: string): string[] {
  const cells = readFileSync(`docs/${page}`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split(' | ').at(-1) ?? '');
  const words = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word as string));
  return words.map((word) => word.replace(/ (true|[a-z]+)$/, '')).filter((word) => /^[a-z]\w*(\.[a-z]\w*)?$/.test(word));
}

describe('the pages about coming over', () => {
  it.each(Object.entries(stories))(
    '%s can be followed from the first line to the last',
    (page, options) => runStory(page, options),
    60_000,
  );

  it('are all run, and say what to run, what is different and how to go back', () => {
    const pages = readdirSync('docs').filter((name) => name.startsWith('migrate-from-'));
    expect(pages.sort()).toEqual(Object.keys(stories).sort());
    for (const page of pages) {
      const headings = [...readFileSync(`docs/${page}`, 'utf8').matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
      expect(headings).toEqual(expect.arrayContaining(['What to run', 'What is different', 'How to go back']));
    }
  });

  it('name fields and settings that there are', () => {
    const settings = new Set(allSettings.map(({ path }) => path));
    const sections = new Set([...settings].map((path) => path.split('.')[0]));
    const unknown = Object.keys(stories).flatMap((page) => tableNames(page).filter((name) => !known(name)));
    expect(unknown).toEqual([]);

    function known(name: string): boolean {
      if (settings.has(name) || sections.has(name) || name in streamSettingFields || name === 'patterns') return true;
      return !parsePolicy([name, '']).faults.some((fault) => fault.includes('is not a known field'));
    }
  });

  it('name pages that are there', () => {
    for (const page of Object.keys(stories)) {
      const links = [...readFileSync(`docs/${page}`, 'utf8').matchAll(/\]\(([\w-]+\.md)(?:#[\w-]+)?\)/g)].map(
        ([, link]) => link as string,
      );
      expect(links.filter((link) => !existsSync(`docs/${link}`))).toEqual([]);
    }
  });
});
