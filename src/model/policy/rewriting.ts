// Policy: the path that a backend is asked for, where it is not the client's.

import { parseSafePattern, type SafePattern } from '../../base/safe-pattern.js';
import { jsonField } from './field.js';
import { Disallowed, isObject, parsedBy } from './parsed-by.js';

/** What stands in place of a match: texts with the number of a group between each two of them. */
export interface Replacement {
  readonly literals: readonly string[];
  readonly groups: readonly number[];
}

/** One rule. The path is looked at as the client wrote it, without its query. */
export type RewriteRule =
  | {
      readonly kind: 'prefix';
      /** Matches on borders of segments; without a trailing slash, so that `/` is empty. */
      readonly from: string;
      readonly to: string;
      readonly query: string;
    }
  | { readonly kind: 'pattern'; readonly from: SafePattern; readonly to: Replacement; readonly query: Replacement | null };

const prefixAllowed = 'true (the prefix of the frontend), false, or a path such as "/api"';
const rulesAllowed =
  'a list of {"from": "/path" or "^pattern", "to": "/path"}; in a pattern\'s "to" $1 to $9 stand for its groups and $$ for a dollar sign';
const longest = 1024;
const mostRules = 64;
const mostGroups = 16;

/** A path as it can be sent: visible ASCII, no query, no fragment. */
const path = /^\/[!"$->@-~]*$/;
/** The same, with an optional query. */
const pathAndQuery = /^\/[!"$-~]*$/;

function parsePrefix(written: unknown): string | boolean | Disallowed {
  if (typeof written === 'boolean') return written;
  if (typeof written !== 'string' || written.length > longest || !path.test(written)) return new Disallowed(prefixAllowed);
  const prefix = written.replace(/\/+$/, '').toLowerCase();
  if (/\/\/|\/\.{1,2}(\/|$)|%/.test(prefix))
    return new Disallowed(`${prefixAllowed}, without //, dot segments and percent signs`);
  return prefix === '' ? false : prefix;
}

function parseRules(written: unknown): readonly RewriteRule[] | Disallowed {
  if (!Array.isArray(written) || written.length > mostRules) return new Disallowed(`${rulesAllowed}; at most ${mostRules} rules`);
  const rules: RewriteRule[] = [];
  for (const entry of written) {
    const rule = parseRule(entry);
    if (rule instanceof Disallowed) return rule;
    rules.push(rule);
  }
  return rules;
}

function parseRule(entry: unknown): RewriteRule | Disallowed {
  if (!isObject(entry)) return new Disallowed(rulesAllowed);
  const { from, to, ...others } = entry;
  if (typeof from !== 'string' || typeof to !== 'string' || Object.keys(others).length > 0) return new Disallowed(rulesAllowed);
  if (from.length > longest || to.length > longest) return new Disallowed(`texts of up to ${longest} characters`);
  if (!pathAndQuery.test(to)) return new Disallowed('a path of visible ASCII characters, beginning with /, in "to"');
  const queryAt = to.indexOf('?');
  const toPath = queryAt === -1 ? to : to.slice(0, queryAt);
  const toQuery = queryAt === -1 ? '' : to.slice(queryAt + 1);
  if (!from.startsWith('^')) {
    if (!path.test(from)) return new Disallowed('a path that begins with /, or a pattern that begins with ^, in "from"');
    return { kind: 'prefix', from: from.replace(/\/+$/, ''), to: toPath, query: toQuery };
  }
  return patternRule(from, toPath, toQuery);
}

function patternRule(from: string, toPath: string, toQuery: string): RewriteRule | Disallowed {
  const pattern = parseSafePattern(from);
  if (typeof pattern === 'string') return new Disallowed(`in a pattern ${pattern}`);
  const to = parseReplacement(toPath, pattern.groups);
  const query = toQuery === '' ? null : parseReplacement(toQuery, pattern.groups);
  if (to instanceof Disallowed) return to;
  return query instanceof Disallowed ? query : { kind: 'pattern', from: pattern, to, query };
}

function parseReplacement(text: string, groupsThere: number): Replacement | Disallowed {
  const literals: string[] = [];
  const groups: number[] = [];
  let literal = '';
  let from = 0;
  for (const mark of text.matchAll(/\$(\$|\d)?/g)) {
    literal += text.slice(from, mark.index);
    from = mark.index + mark[0].length;
    if (mark[1] === '$') {
      literal += '$';
      continue;
    }
    const group = Number(mark[1]);
    if (!(group <= groupsThere)) return new Disallowed(`the groups that the pattern has (${groupsThere}) behind $, or $$`);
    literals.push(literal);
    groups.push(group);
    literal = '';
  }
  if (groups.length > mostGroups) return new Disallowed(`at most ${mostGroups} groups in "to"`);
  literals.push(literal + text.slice(from));
  return { literals, groups };
}

export const rewritingFields = {
  /** The prefix that a backend does not see: the frontend's own, or another one. */
  stripPrefix: jsonField(parsedBy(parsePrefix).transform((prefix) => prefix ?? false)),
  /** The first rule that matches the path (after `stripPrefix`) gives the path that a backend is asked for. */
  rewrite: jsonField(parsedBy(parseRules)),
};
