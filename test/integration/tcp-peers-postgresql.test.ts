// A real PostgreSQL behind a stream in proxy mode, asked by psql and pgbench.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../helpers/eventually.js';
import { startPostgres, type TestPostgres } from '../helpers/postgres.js';
import { type StartedStreams, startStreams } from '../helpers/streams.js';

let postgres: TestPostgres;
let started: StartedStreams;
const run = promisify(execFile);
const ending: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
  started = await startStreams({ streams: [{ name: 'db', targets: [`tcp://127.0.0.1:${postgres.port}`] }] });
}, 60_000);

afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

afterAll(async () => {
  await started?.close();
  await postgres?.stop();
});

/** What psql prints for a text of SQL, values alone. */
async function psql(sql: string, port = started.port()): Promise<string> {
  const args = ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-c', sql];
  return (await run('psql', args, { env: postgres.env(port), maxBuffer: 1 << 26 })).stdout.trimEnd();
}

describe('PostgreSQL behind a stream', () => {
  it('takes a session with a password, as itself does', async () => {
    expect(await psql('select current_user, 6 * 7')).toBe('ann|42');
    const wrong = run('psql', ['-X', '-w', '-c', 'select 1'], { env: { ...postgres.env(started.port()), PGPASSWORD: 'no' } });
    await expect(wrong).rejects.toThrow('password authentication failed for user "ann"');
  });

  it('gives and takes megabytes whole', async () => {
    const rows = "select string_agg(md5(n::text), '') from generate_series(1, 100000) n";
    const [through, direct] = [await psql(rows), await psql(rows, postgres.port)];
    expect(through).toHaveLength(3_200_000);
    expect(through).toBe(direct);

    await psql('create table copied (n int primary key, t text)');
    const child = spawn('psql', ['-X', '-q', '-c', 'copy copied from stdin'], { env: postgres.env(started.port()) });
    for (let n = 0; n < 50_000; n++) child.stdin.write(`${n}\t${`${n}`.repeat(10)}\n`);
    child.stdin.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
    const sum = "select count(*), sum(length(t)), md5(string_agg(t, '' order by n)) from copied";
    expect(await psql(sum)).toMatch(/^50000\|2388900\|[0-9a-f]{32}$/);
    expect(await psql(sum)).toBe(await psql(sum, postgres.port));
  });

  it('keeps what belongs to a session apart from others: transactions, settings, what was prepared', async () => {
    await psql('create table counted (n int)');
    const session = (n: number) =>
      psql(`begin; insert into counted values (${n}); set local application_name = 'client-${n}'; prepare p as select $1::int + ${n};
        execute p(1000); select count(*) from counted; select current_setting('application_name'); rollback`);
    const answers = await Promise.all([1, 2, 3, 4, 5].map(session));
    expect(answers).toEqual([1, 2, 3, 4, 5].map((n) => `${1000 + n}\n1\nclient-${n}`));
    expect(await psql('select count(*) from counted')).toBe('0');
  });

  it('tells a client what nobody asked for at that moment: a notice to one that listens', async () => {
    const child = spawn('psql', ['-X', '-q'], { env: postgres.env(started.port()) });
    ending.push(async () => child.kill('SIGKILL'));
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.stdin.write('listen news;\n\\echo listening\n');
    await eventually('the session to listen', () => said.includes('listening'));
    await psql("notify news, 'something happened'");
    child.stdin.end('select pg_sleep(0);\n');
    await once(child, 'exit');
    expect(said).toContain('Asynchronous notification "news" with payload "something happened" received');
  });

  it('cancels a statement on the interrupt of psql, which comes on a connection of its own', async () => {
    const child = spawn('psql', ['-X', '-c', 'select pg_sleep(60)'], { env: postgres.env(started.port()) });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const running = "select count(*) from pg_stat_activity where query = 'select pg_sleep(60)'";
    await eventually('the statement to run', async () => (await psql(running)) === '1');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([1, null]);
    expect(said).toContain('canceling statement due to user request');
    expect(await psql(`${running} and state = 'active'`)).toBe('0');
  });

  it('ends the session of a client that was killed', async () => {
    const child = spawn('psql', ['-X', '-q'], { env: { ...postgres.env(started.port()), PGAPPNAME: 'killed' } });
    const sessions = () => psql("select count(*) from pg_stat_activity where application_name = 'killed'");
    await eventually('the session', async () => (await sessions()) === '1');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await eventually('the session to end', async () => (await sessions()) === '0');
  });

  it('carries pgbench with 20 clients, simple, extended and prepared, without an error', async () => {
    const env = postgres.env(started.port());
    await run('pgbench', ['-i', '-q', '-s', '1'], { env });
    for (const protocol of ['simple', 'extended', 'prepared']) {
      const { stdout } = await run('pgbench', ['-n', '-c', '20', '-j', '2', '-t', '20', '-M', protocol], { env });
      expect(stdout).toContain('number of transactions actually processed: 400/400');
      expect(stdout).toContain('number of failed transactions: 0 (0.000%)');
    }
    // Every transaction adds the same to an account, a teller and a branch, and writes it down.
    const sums = ['accounts.abalance', 'tellers.tbalance', 'branches.bbalance', 'history.delta'].map((place) => {
      const [table, column] = place.split('.');
      return psql(`select sum(${column}) from pgbench_${table}`);
    });
    expect(new Set(await Promise.all(sums)).size).toBe(1);
    expect(await psql('select count(*) from pgbench_history')).toBe('1200');
  }, 40_000);
});
