// Certificates and handshakes by the real OpenSSL: what test/helpers/certs cannot make (RSA, dates, chains), and what a client sees.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KeyAndCert } from './certs.js';

const run = promisify(execFile);

export interface PairWishes {
  readonly type?: 'rsa' | 'ec';
  /** Of an RSA key. */
  readonly bits?: number;
  /** Days from now; negative ones are past. */
  readonly from?: number;
  readonly until?: number;
}

/** A self-signed certificate for names. */
export function opensslPair(
  names: readonly string[],
  { type = 'ec', bits = 2048, from = -1, until = 30 }: PairWishes = {},
): KeyAndCert {
  const dir = mkdtempSync(join(tmpdir(), 'cjs-proxy-pair-'));
  try {
    const kind = type === 'rsa' ? ['-newkey', `rsa:${bits}`] : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    const files = ['-keyout', join(dir, 'key'), '-out', join(dir, 'csr')];
    const subject = ['-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`];
    execFileSync('openssl', ['req', '-nodes', ...kind, ...files, ...subject], { stdio: 'ignore' });
    // `openssl ca` alone takes dates in the past.
    writeFileSync(join(dir, 'index'), '');
    const config = join(dir, 'ca.cnf');
    const text = `[ca]\ndefault_ca=own\n[own]\ndatabase=${dir}/index\nnew_certs_dir=${dir}\nrand_serial=yes\ndefault_md=sha256\npolicy=any\ncopy_extensions=copy\n[any]\ncommonName=supplied\n`;
    writeFileSync(config, text);
    const dates = ['-startdate', asn1Time(from), '-enddate', asn1Time(until)];
    const own = ['-selfsign', '-keyfile', join(dir, 'key'), '-in', join(dir, 'csr'), '-out', join(dir, 'cert')];
    execFileSync('openssl', ['ca', '-batch', '-notext', '-config', config, ...own, ...dates], { stdio: 'ignore' });
    return { key: readFileSync(join(dir, 'key'), 'utf8'), cert: readFileSync(join(dir, 'cert'), 'utf8') };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function asn1Time(days: number): string {
  return `${new Date(Date.now() + days * 86_400_000).toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
}

/** What `openssl s_client` prints of a handshake, with whatever is sent and answered. */
export async function sClient(port: number, args: readonly string[], input = ''): Promise<string> {
  const child = run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args], { maxBuffer: 1 << 22 });
  child.child.stdin?.on('error', () => {});
  child.child.stdin?.end(input);
  const { stdout, stderr } = await child.catch((error: { stdout: string; stderr: string }) => error);
  return stdout + stderr;
}
