import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { streamSettingFields } from '../../src/config/schema-streams.js';
import { runStory } from '../helpers/doc-story.js';

describe('docs/passthrough.md', () => {
  it('can be followed from the first line to the last', () => runStory('passthrough.md', { ports: [3443, 8443] }), 60_000);

  it('names every setting of the mode l4', () => {
    const page = readFileSync('docs/passthrough.md', 'utf8');
    for (const name of ['secure', 'specTimeout', 'responseTimeout', '404', '500', '504']) {
      expect(page).toContain(`\`${name}\``);
      expect(Object.keys(streamSettingFields)).toContain(name);
    }
  });
});
