// The fuzz in short, and every find of it that was ever kept. `npm run fuzz` makes up more.
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newSeed } from '../helpers/seeded.js';
import type { Find } from './part.js';
import { fuzzParts } from './parts.js';

const finds = new URL('../fixtures/finds/', import.meta.url);
const seed = newSeed('fuzz') >>> 1;

beforeAll(async () => {
  for (const part of fuzzParts) await part.open();
});
afterAll(async () => {
  for (const part of fuzzParts) await part.close();
});

describe('whatever is made up', () => {
  it.each(fuzzParts)('holds for $name', async (part) => {
    const found = await part.run(seed, Math.ceil(part.perSecond / 2));
    expect(found).toBeNull();
  });
});

describe('what was found once', () => {
  it.each(readdirSync(finds))('holds by now: %s', async (file) => {
    const { part: name, case: kept } = JSON.parse(readFileSync(new URL(file, finds), 'utf8')) as Find;
    const part = fuzzParts.find((one) => one.name === name);
    expect(part, name).toBeDefined();
    await part?.replay(kept);
  });
});
