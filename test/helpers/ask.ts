// One request on a connection of its own, as a plain client sends it.
import { request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Rejects when the connection is refused or the answer is broken off. */
export function ask(port: number, host: string, path = '/'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers: { host }, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on('error', reject);
    sent.end();
  });
}
