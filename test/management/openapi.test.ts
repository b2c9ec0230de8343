// The OpenAPI document: valid, complete, what docs/api.md is made from, and a page that needs nothing from elsewhere.
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiPage } from '../../scripts/api-page.js';
import { startApi, type TestApi } from '../helpers/management.js';

let api: TestApi;

beforeAll(async () => {
  api = await startApi('memory:', { tokens: [{ name: 'ci', sha256: '0'.repeat(64), role: 'read', hosts: [] }] });
});

afterAll(() => api.close());

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1, by a validator of others', async () => {
    const { status, body } = await api.call('GET', '/openapi.json');
    expect(status).toBe(200);
    expect(body.openapi).toMatch(/^3\.1\./);
    const result = await new Validator().validate(body);
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
  });

  it('points nowhere but to what it holds', async () => {
    const { body } = await api.call('GET', '/openapi.json');
    const references = [...JSON.stringify(body).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref as string);
    expect(references.length).toBeGreaterThan(20);
    for (const reference of references) {
      const [, , ...path] = reference.split('/');
      const found = path.reduce(
        (part: Record<string, unknown>, name) => part?.[name] as Record<string, unknown>,
        body.components,
      );
      expect([reference, typeof found]).toEqual([reference, 'object']);
    }
  });

  it('explains every field of a policy', async () => {
    const { body } = await api.call('GET', '/openapi.json');
    const { properties, required } = body.components.schemas.Route;
    expect(required).toEqual(expect.arrayContaining(['vHost', 'strategy']));
    for (const [name, property] of Object.entries(properties))
      expect([name, property]).toEqual([name, expect.objectContaining({ description: expect.stringMatching(/./) })]);
  });

  it('is what docs/api.md is made from: npm run docs:api', () => {
    expect(readFileSync('docs/api.md', 'utf8')).toBe(apiPage());
  });
});

describe('the page to browse', () => {
  it('needs no token, no script and nothing from elsewhere', async () => {
    const { status, headers, body } = await api.call('GET', '/docs');
    expect(status).toBe(200);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(body).toContain('/routes/{vHost}/backends');
    expect(body).not.toMatch(/<script|(?:href|src)="(?:https?:)?\/\/|onclick=/i);
    const links = [...body.matchAll(/(?:href|src)="([^"#]+)"/g)].map(([, link]) => link as string);
    for (const link of links) expect([link, (await api.call('GET', `/${link}`)).status]).toEqual([link, 200]);
    const anchors = [...body.matchAll(/href="#([^"]+)"/g)].map(([, name]) => name as string);
    for (const name of anchors) expect(body).toContain(`id="${name}"`);
  });
});
