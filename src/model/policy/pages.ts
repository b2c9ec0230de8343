// Policy: the pages that clients of a frontend get when something is wrong, and the one while it is being maintained.
import { type AddressSet, createAddressSet, parseRange } from '../../base/ip.js';
import { parseDuration } from '../../config/units.js';
import { includesStatus, parseStatusRanges, type StatusRange } from '../status-ranges.js';
import { guarding, jsonField } from './field.js';
import { Disallowed, isObject, parsedBy } from './parsed-by.js';

/** Pages by status (`404`), by class (`5xx`) and `default`. The buffers are shared: not to be changed. */
export type OwnPages = ReadonlyMap<string, Buffer>;

/** A frontend that is closed for the time being. */
export interface Maintenance {
  /** What its clients are shown; null: as any other error. */
  readonly page: Buffer | null;
  readonly html: boolean;
  /** Seconds after which they may come back. */
  readonly retryAfter: number;
}

const largestPage = 65_536;
const largestSum = 262_144;
const pageAllowed = `a text of up to ${largestPage} bytes`;
const pagesAllowed = `an object of pages by status ("404"), class ("5xx") or "default", each ${pageAllowed}`;
const statusesAllowed = 'statuses from 400 on, such as [500, "502-504", "5xx"]';
const maintenanceAllowed = `true, false, ${pageAllowed}, or {"page": text, "retryAfter": seconds or "10m"}`;
const rangesAllowed = 'a list of addresses and ranges such as "10.0.0.0/8"';
const usualRetryAfter = 60;

function parsePages(written: unknown): OwnPages | Disallowed {
  if (!isObject(written)) return new Disallowed(pagesAllowed);
  const pages = new Map<string, Buffer>();
  let sum = 0;
  for (const [key, text] of Object.entries(written)) {
    const page = pageOf(text);
    if (page === null || !/^(?:[45]\d\d|[45]xx|default)$/.test(key)) return new Disallowed(pagesAllowed);
    sum += page.length;
    pages.set(key, page);
  }
  return sum > largestSum ? new Disallowed(`pages of ${largestSum} bytes together`) : pages;
}

function pageOf(text: unknown): Buffer | null {
  if (typeof text !== 'string') return null;
  const page = Buffer.from(text, 'utf8');
  return page.length > largestPage ? null : page;
}

/** The page of an error, or null: there is none for it. */
export function ownPage(pages: OwnPages, status: number): Buffer | null {
  return pages.get(String(status)) ?? pages.get(`${Math.floor(status / 100)}xx`) ?? pages.get('default') ?? null;
}

function parseStatuses(written: unknown): readonly StatusRange[] | Disallowed {
  const parts = Array.isArray(written) ? written : [written];
  if (parts.length === 0) return [];
  const ranges = parseStatusRanges(parts.join(','));
  const errorsOnly = ranges?.every(([first]) => first >= 400) === true;
  return ranges === null || !errorsOnly ? new Disallowed(statusesAllowed) : ranges;
}

/** Whether an answer of a backend is replaced by a page. */
export function isReplaced(ranges: readonly StatusRange[], status: number): boolean {
  return status >= 400 && includesStatus(ranges, status);
}

/** False is the same as no such field, so that it can be switched off without being removed. */
function parseMaintenance(written: unknown): Maintenance | null | Disallowed {
  if (typeof written === 'boolean') return written ? { page: null, html: false, retryAfter: usualRetryAfter } : null;
  if (typeof written === 'string') return closed(written, usualRetryAfter);
  if (!isObject(written)) return new Disallowed(maintenanceAllowed);
  const { page, retryAfter = usualRetryAfter, ...others } = written;
  const milliseconds = typeof retryAfter === 'string' ? parseDuration(retryAfter) : Number(retryAfter) * 1000;
  const known = typeof retryAfter === 'string' || typeof retryAfter === 'number';
  if (Object.keys(others).length > 0 || !known || milliseconds === null || !(milliseconds >= 0 && milliseconds < 1e12))
    return new Disallowed(maintenanceAllowed);
  const seconds = Math.ceil(milliseconds / 1000);
  return page === undefined ? { page: null, html: false, retryAfter: seconds } : closed(page, seconds);
}

function closed(text: unknown, retryAfter: number): Maintenance | Disallowed {
  const page = pageOf(text);
  if (page === null) return new Disallowed(maintenanceAllowed);
  return { page: page.length === 0 ? null : page, html: typeof text === 'string' && /^\s*</.test(text), retryAfter };
}

function parseAllowed(written: unknown): AddressSet | Disallowed {
  const entries = typeof written === 'string' ? written.split(/[\s,]+/).filter((entry) => entry !== '') : written;
  if (!Array.isArray(entries)) return new Disallowed(rangesAllowed);
  if (!entries.every((entry): entry is string => typeof entry === 'string' && parseRange(entry) !== null))
    return new Disallowed(rangesAllowed);
  return createAddressSet(entries);
}

export const pageFields = {
  /** In place of the proxy's pages, for errors that it answers itself, and for those of `replaceBackendErrors`. */
  errorPages: jsonField(parsedBy(parsePages)),
  /** Statuses of backends whose body is replaced by a page. */
  replaceBackendErrors: jsonField(parsedBy(parseStatuses)),
  /** Whether the frontend is closed, and what is shown. Nobody may get in because it was misspelt. */
  maintenance: guarding(jsonField(parsedBy(parseMaintenance))),
  /** Clients that pass all the same. */
  maintenanceAllow: jsonField(parsedBy(parseAllowed)),
};
