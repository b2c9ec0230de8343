// The pages that a client in clear text gets where nothing serves it, as whole responses.

/** What went wrong: no route, a target that cannot be connected to, one that said nothing. */
export type L4ErrorCode = '404' | '500' | '504';

const reasons: Readonly<Record<L4ErrorCode, string>> = {
  '404': 'Hostname Not Found',
  '500': 'Invalid Upstream Configuration',
  '504': 'No Upstream Response',
};

/** Code and reason, as a status line has them. */
export function errorTitle(code: L4ErrorCode): string {
  return `${code} ${reasons[code]}`;
}

/** The response, behind which the connection is closed. */
export function errorPage(code: L4ErrorCode): Buffer {
  const title = errorTitle(code);
  const body = `<!DOCTYPE html>\r\n<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\r\n`;
  const head = [
    `HTTP/1.1 ${title}`,
    'Connection: close',
    'Content-Type: text/html; charset=utf-8',
    `Content-Length: ${body.length}`,
    '',
    '',
  ];
  return Buffer.from(head.join('\r\n') + body, 'latin1');
}
