// What a backend is asked for and told, where the policy of the frontend changes it; once a request, before the first attempt.
import type { Exchange } from '../../exchange/exchange.js';
import type { RoutePolicy } from '../../model/policy/policy.js';
import { changeRequest } from '../header-rules.js';
import { rewritten, withoutPrefix } from '../rewrite-target.js';
import type { Stage } from '../stage.js';

const forwardedPrefix = 'x-forwarded-prefix';

export const rewrite: Stage = (exchange) => {
  const policy = exchange.route?.policy ?? null;
  if (policy === null) return undefined;
  if (policy.stripPrefix !== false || policy.rewrite !== undefined) rewriteTarget(exchange, policy);
  changeRequest(exchange, policy);
  return undefined;
};

function rewriteTarget(exchange: Exchange, { stripPrefix, rewrite: rules }: RoutePolicy): void {
  const asked = exchange.head.target;
  // OPTIONS * asks about the server as a whole.
  if (!asked.startsWith('/')) return;
  let target = asked;
  if (stripPrefix !== false) {
    const prefix = stripPrefix === true ? prefixOf(exchange.route?.frontend ?? '') : stripPrefix;
    // The frontend was found by its own prefix, which may end in the middle of a segment where its policy says so.
    const rest = withoutPrefix(target, prefix, stripPrefix === true);
    tellPrefix(exchange, rest === null ? '' : prefix);
    target = rest ?? target;
  }
  if (rules !== undefined) target = rewritten(target, rules);
  if (target !== asked) exchange.changes.target = target;
}

/** `example.com/api` has the prefix `/api`; a frontend of a whole host has none, nor has a pattern. */
function prefixOf(frontend: string): string {
  const at = frontend.indexOf('/');
  return at === -1 || frontend.startsWith('pattern:') ? '' : frontend.slice(at);
}

/** A backend that makes links needs to know what was taken off. What a stranger says of it is not believed. */
function tellPrefix(exchange: Exchange, prefix: string): void {
  const { headers } = exchange.head;
  let whole = prefix;
  if (headers.hasName(forwardedPrefix)) {
    const outer = exchange.client.trusted ? (headers.values(forwardedPrefix)[0] ?? '') : '';
    whole = `${outer.startsWith('/') ? outer.replace(/\/+$/, '') : ''}${prefix}`;
    exchange.changes.remove(forwardedPrefix);
  }
  if (whole !== '') exchange.changes.add('X-Forwarded-Prefix', whole);
}
