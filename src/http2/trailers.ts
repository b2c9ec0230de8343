// The trailer section of an HTTP/2 stream (RFC 9113 section 8.1), in the form that all engines and listeners know.
import type { HeadLimits } from '../http1/head-lines.js';
import { trailerLines } from '../http1/trailer-fields.js';
import { FieldSection } from './field-section.js';

const section = new FieldSection();

/**
 * The lines of a trailer section that may be passed on, each ended by CRLF; empty also where it cannot be understood.
 * @param raw names and values in turn
 */
export function readStreamTrailers(raw: readonly string[], limits: HeadLimits): string {
  section.read(raw);
  if (section.text === '') return '';
  const headers = section.scan(limits);
  return headers === null ? '' : trailerLines(headers);
}
