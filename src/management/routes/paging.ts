// Pages: what a list may be asked for, and how it says where it goes on.
import * as z from 'zod';

export const pageQuery = z.strictObject({
  search: z.string().max(255).default('').describe('A part of the name.'),
  cursor: z.string().max(120).default('').describe('What the page before gave; absent: the first page.'),
  limit: z.coerce
    .number()
    .int()
    .min(1, 'a whole number from 1 to 10000')
    .max(10_000, 'a whole number from 1 to 10000')
    .default(1_000)
    .describe('About how many are wanted.'),
});

type PageQuery = z.output<typeof pageQuery>;

/** `Link` (RFC 8288) and `X-Next-Cursor`, where there is a next page. */
export function pageHeaders(path: string, { search, limit }: PageQuery, cursor: string): Record<string, string> {
  if (cursor === '') return {};
  const query = new URLSearchParams({ ...(search === '' ? {} : { search }), limit: String(limit), cursor });
  return { Link: `</api/v1${path}?${query}>; rel="next"`, 'X-Next-Cursor': cursor };
}
