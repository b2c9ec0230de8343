import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/observe/logger.js';
import { redactText, redactValue } from '../../../src/observe/redact.js';

function reader(terminal: boolean) {
  const lines: string[] = [];
  return { lines, output: { terminal, write: (line: string) => void lines.push(line) } };
}

describe('a logger', () => {
  it('writes a JSON object a line with level, time, bindings and fields', () => {
    const { lines, output } = reader(false);
    createLogger('info', { worker: 3 }, output).warn('slow', { ms: 12 });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/\n$/);
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'warn', msg: 'slow', worker: 3, ms: 12, pid: process.pid });
  });

  it.each([
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
    ['silent', 0],
  ] as const)('of level %s writes %i of the four severities', (level, count) => {
    for (const terminal of [true, false]) {
      const { lines, output } = reader(terminal);
      const log = createLogger(level, {}, output);
      log.debug('d');
      log.info('i');
      log.warn('w');
      log.error('e');
      expect(lines).toHaveLength(count);
    }
  });

  it('writes a short readable line for a person', () => {
    const { lines, output } = reader(true);
    createLogger('info', { worker: 3 }, output).info('listening', { port: 80, address: 'any of them' });
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d info {2}listening worker=3 port=80 address="any of them"\n$/);
  });

  it('lets no text control the terminal or begin a line', () => {
    const { lines, output } = reader(true);
    createLogger('info', {}, output).info('a\u001b[2Jb\nc', { host: 'x\ny\u009b' });
    expect(lines[0]).toContain('a\\x1b[2Jb\\nc host="x\\ny\\x9b"');
    expect(lines[0]!.trimEnd().split('\n')).toHaveLength(1);
  });

  it('masks passwords in the text and in fields', () => {
    const { lines, output } = reader(false);
    createLogger('info', { driver: 'redis://u:pw1@h' }, output).info('to redis://:pw2@h:1/0', { a: { b: ['http://x:pw3@y'] } });
    expect(lines[0]).not.toMatch(/pw\d/);
    expect(lines[0]).toContain('redis://:***@h:1/0');
  });

  it('tells of an error its message, code and cause', () => {
    const { lines, output } = reader(false);
    const cause = Object.assign(new Error('refused by redis://:pw@h'), { code: 'ECONNREFUSED' });
    createLogger('info', {}, output).error('failed', { error: new Error('outer', { cause }) });
    expect(JSON.parse(lines[0]!).error).toMatchObject({
      type: 'Error',
      message: 'outer',
      cause: { message: 'refused by redis://:***@h', code: 'ECONNREFUSED' },
    });
  });

  it('has its last line out before the process exits', async () => {
    const logger = fileURLToPath(new URL('../../../src/observe/logger.ts', import.meta.url));
    const program = `import { createLogger } from ${JSON.stringify(logger)}; createLogger('info').error('fatal: ' + 'x'.repeat(200000)); process.exit(1);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program]);
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(1);
    expect(JSON.parse(text).msg).toHaveLength(200007);
  });
});

describe('masking', () => {
  it.each([
    ['redis://user:secret@host:6379/1', 'redis://user:***@host:6379/1'],
    ['redis://:s@cr:t@host', 'redis://:***@host'],
    ['two http://a:b@c and https://d:e@f', 'two http://a:***@c and https://d:***@f'],
    ['http://host:80/path@x', 'http://host:80/path@x'],
    ['user@example.com', 'user@example.com'],
  ])('makes of %j %j', (text, masked) => {
    expect(redactText(text)).toBe(masked);
  });

  it('masks whole what is called a secret', () => {
    expect(redactValue({ password: 'x', apiKey: 'y', passphrase: '', nested: { authToken: 'z' } })).toEqual({
      password: '***',
      apiKey: '***',
      passphrase: '',
      nested: { authToken: '***' },
    });
  });

  it('ends with objects that hold themselves', () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    expect(JSON.stringify(redactValue(loop))).toContain('…');
  });

  it('takes no longer than a pass over a hostile text', () => {
    const started = performance.now();
    redactText('a'.repeat(1_000_000) + '://'.repeat(100_000));
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
