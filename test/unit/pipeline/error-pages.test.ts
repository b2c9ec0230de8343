import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createErrorPages } from '../../../src/pipeline/error-pages.js';

let folder: string;
const put = (name: string, content: string | Buffer) => writeFileSync(join(folder, `error_${name}.html`), content);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'error-pages-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('error pages of a folder', () => {
  it('are chosen by code, then by status, then the default one', () => {
    const clock = { now: 0 };
    const pages = createErrorPages(folder, () => clock.now);
    const page = () => pages.page(502, 'backend-refused')?.toString() ?? null;
    const later = () => {
      clock.now += 1000;
    };
    expect(page()).toBeNull();
    put('default', 'default');
    later();
    expect(page()).toBe('default');
    put('502', 'status');
    later();
    expect(page()).toBe('status');
    put('backend-refused', 'code');
    later();
    expect(page()).toBe('code');
    expect(pages.page(502)?.toString()).toBe('status');
  });

  it('are byte by byte as their files are', () => {
    const bytes = Buffer.from([0x3c, 0xff, 0x00, 0xc3, 0x28, 0x0d, 0x0a]);
    put('400', bytes);
    expect(createErrorPages(folder).page(400)).toEqual(bytes);
  });

  it('are read once a second at most, however many errors there are', () => {
    const clock = { now: 0 };
    const pages = createErrorPages(folder, () => clock.now);
    put('400', 'one');
    expect(pages.page(400)?.toString()).toBe('one');
    put('400', 'two');
    clock.now = 999;
    expect(pages.page(400)?.toString()).toBe('one');
    clock.now = 1000;
    expect(pages.page(400)?.toString()).toBe('two');
  });

  it('may be missing: the folder, a page, or a page that is a folder', () => {
    expect(createErrorPages('/nonexistent').page(400)).toBeNull();
    mkdirSync(join(folder, 'error_400.html'));
    expect(createErrorPages(folder).page(400, 'no-host')).toBeNull();
  });
});

describe('the shipped pages', () => {
  const shipped = fileURLToPath(new URL('../../../config/pages/', import.meta.url));
  const pages = createErrorPages(null);

  it.each([
    [400, '<h1>No Application Configured</h1>\n<h2>This domain is not associated with an application.</h2>'],
    [502, '<h1>Application Not Responding</h1>\n<h2>Please try again in a few moments.</h2>'],
    [504, '<h1>Application Not Responding</h1>\n<h2>Please try again in a few moments.</h2>'],
  ])('say for %i what those of Hipache say', (status, text) => {
    expect(pages.page(status)?.toString()).toContain(text);
  });

  it('serve any status', () => {
    expect(pages.page(418)?.toString()).toContain('Request Not Completed');
  });

  it.each(readdirSync(shipped))('%s needs nothing from elsewhere and fits a phone, light and dark', (name) => {
    const text = readFileSync(join(shipped, name), 'utf8');
    expect(text).not.toMatch(/\b(?:src|href|url|@import|script)\b|https?:/i);
    expect(text).toContain('width=device-width');
    expect(text).toContain('prefers-color-scheme: dark');
    expect(text).toMatch(/proxy/i);
  });
});
