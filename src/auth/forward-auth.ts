// Forward-auth: a service is told of each request and decides, as users of Traefik, Caddy and nginx know it.
import type { ForwardAuthSettings } from '../model/auth-provider.js';
import type { ServiceCalls, ServiceReply } from './service-call.js';
import type { AuthQuestion, Check, ServiceAnswer, Verdict } from './verdict.js';

/** What of an answer that is not 2xx reaches the client. */
const relayed = new Set(['location', 'www-authenticate', 'set-cookie', 'content-encoding', 'content-language']);

export function createForwardAuth(settings: ForwardAuthSettings, calls: ServiceCalls): Check {
  const url = new URL(settings.url);
  const copied = new Set(settings.copyHeaders.map((name) => name.toLowerCase()));
  const cached = settings.ttl > 0 || settings.refusedTtl > 0;

  function headersFor(question: AuthQuestion): string[] {
    const headers = [
      ...['X-Forwarded-Method', question.method, 'X-Forwarded-Proto', question.scheme, 'X-Forwarded-Host', question.host],
      ...['X-Forwarded-Uri', question.target, 'X-Forwarded-For', question.clientAddress, 'X-Request-Id', question.requestId],
    ];
    for (const name of settings.requestHeaders) {
      const value = question.header(name);
      if (value !== '') headers.push(name, value);
    }
    return headers;
  }

  async function ask(question: AuthQuestion): Promise<Verdict> {
    let reply: ServiceReply;
    try {
      const headers = headersFor(question);
      reply = await calls.get({ url, headers, timeout: settings.timeout, wantsBody: (status) => !passes(status) });
    } catch (error) {
      return { kind: 'away', detail: error instanceof Error ? error.message : 'the service cannot be asked' };
    }
    if (passes(reply.status)) return { kind: 'passed', headers: named(reply.headers, copied) };
    if (reply.status < 200 || reply.status > 599) {
      return { kind: 'away', detail: `${url.origin} answers with the status ${reply.status}` };
    }
    return { kind: 'answered', answer: answerOf(reply) };
  }

  return {
    // All that the service is told, since all of it may count: who may see /a need not see /b.
    keyOf: (question) => {
      if (!cached) return '';
      const { method, scheme, host, target, clientAddress } = question;
      const shown = settings.requestHeaders.map((name) => question.header(name));
      return [method, scheme, host, target, clientAddress, ...shown].join('\n');
    },
    check: ask,
  };
}

function passes(status: number): boolean {
  return status >= 200 && status <= 299;
}

function answerOf({ status, headers, body }: ServiceReply): ServiceAnswer {
  const [, contentType = 'text/plain; charset=utf-8'] = named(headers, new Set(['content-type']));
  return { status, contentType, headers: named(headers, relayed), body };
}

/** The lines of some names, in their order. */
function named(pairs: readonly string[], names: ReadonlySet<string>): string[] {
  const found: string[] = [];
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const name = pairs[at] as string;
    if (names.has(name.toLowerCase())) found.push(name, pairs[at + 1] as string);
  }
  return found;
}
