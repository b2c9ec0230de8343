import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ourCommand } from '../helpers/compiled.js';
import { writeConfigFile } from '../helpers/config-file.js';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command to its end, without variables of the test's own environment. */
function run(
  words: readonly string[],
  { cwd = '.', env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  return new Promise((done, fail) => {
    const [node, command] = ourCommand();
    const child = spawn(node, [command, ...words], {
      cwd,
      env: { PATH: process.env.PATH ?? '', ...env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', fail);
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
}

describe('cjs-proxy check', () => {
  test('prints what is in force with secrets hidden, and ends with 0', async () => {
    const file = writeConfigFile({ http: { port: 8080 }, driver: 'redis://:secret@10.0.0.5' });
    const { code, stdout, stderr } = await run(['check', '--config', file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [first, ...rest] = stdout.split('\n');
    expect(first).toBe('Configuration file looks ok. Here is the result:');
    expect(JSON.parse(rest.join('\n'))).toMatchObject({
      source: file,
      config: { http: { bind: [{ address: '127.0.0.1', port: 8080 }] }, driver: ['redis://:CENSORED@10.0.0.5:6379'] },
    });
    expect(stdout).not.toContain('secret');
  });

  test.each([[['--dry', '-c']], [['-d', '-c']], [['serve', '--dry', '-c']], [['check', '-c']]])(
    '%j does the same',
    async (words) => {
      const file = writeConfigFile({});
      expect(await run([...words, file])).toMatchObject({ code: 0, stdout: expect.stringContaining('looks ok') });
    },
  );

  test('writes warnings beside the result', async () => {
    const { code, stdout, stderr } = await run([
      'check',
      '-c',
      writeConfigFile({ server: { port: 8080, address: ['127.0.0.1'] } }),
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout.replace(/^.*\n/, ''))).toMatchObject({ config: { http: { bind: [{ port: 8080 }] } } });
    expect(stderr).toBe(
      'WARNING! `server.port` is deprecated. Please use `http.port` instead.\n' +
        'WARNING! `server.address` is deprecated. Please use `http.bind` instead.\n',
    );
  });

  test('tells all faults, one line each, and ends with 1', async () => {
    const file = writeConfigFile({ server: { workers: 'ten', worker: 1 } });
    expect(await run(['check', '-c', file], { env: { CJS_PROXY_HTTP_PORTS: '1' } })).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'environment: CJS_PROXY_HTTP_PORTS is not a known setting; the nearest known one is CJS_PROXY_HTTP_PORT\n' +
        `${file}: server.workers is "ten"; allowed is a whole number from 0 to 1024, or "auto"\n` +
        `${file}: server.worker is not a known setting; the nearest known one is server.workers\n`,
    });
  });

  test('names file, line and column of broken JSON', async () => {
    const file = writeConfigFile('{\n  "http": {,}\n}');
    expect(await run(['check', '-c', file])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`${file}:2:12: the JSON is broken`),
    });
  });

  test('finds files that are named and cannot be read', async () => {
    const https = { bind: ['127.0.0.1', '::1'], key: '/nowhere/k.pem', cert: '/' };
    const file = writeConfigFile({ https, server: { staticDir: 'nowhere' } });
    const hint = 'relative paths start from the current folder';
    expect(await run(['check', '-c', file])).toMatchObject({
      code: 1,
      stderr: [
        `${file}: https.bind[0].key: "/nowhere/k.pem" cannot be read (ENOENT); ${hint}`,
        `${file}: https.bind[0].cert: "/" cannot be read (it is a folder); ${hint}`,
        `${file}: server.staticDir: "nowhere" cannot be read (ENOENT); ${hint}\n`,
      ].join('\n'),
    });
  });

  test('follows SETTINGS_FLAVOR and the options that are settings', async () => {
    const folder = dirname(writeConfigFile({}));
    mkdirSync(join(folder, 'config'));
    writeFileSync(join(folder, 'config', 'config_blue.json'), '{"http": {"port": 4321}}');
    const { code, stdout } = await run(['check', '-w', '3', '-v'], { cwd: folder, env: { SETTINGS_FLAVOR: 'blue' } });
    expect(code).toBe(0);
    expect(JSON.parse(stdout.replace(/^.*\n/, ''))).toMatchObject({
      source: expect.stringMatching(/config_blue\.json$/),
      config: { http: { bind: [{ port: 4321 }] }, server: { workers: 3 }, logLevel: 'debug' },
    });
  });
});

describe('cjs-proxy', () => {
  test('serves nothing and ends with 1 where the file is missing', async () => {
    expect(await run(['-c', '/nowhere.json'])).toEqual({
      code: 1,
      stdout: '',
      stderr: "/nowhere.json: couldn't locate requested config file\n",
    });
  });

  test('--version prints the version of the package', async () => {
    expect(await run(['--version'])).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' });
  });

  test('--help prints commands and options', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    for (const word of [
      'serve',
      'check',
      '--config',
      '--dry',
      '--workers',
      '--uid',
      '--gid',
      '--verbose',
      '--quiet',
      '--version',
    ]) {
      expect(stdout).toContain(word);
    }
  });

  test.each([
    [['chekc'], 'error: unknown command "chekc"; did you mean "check"?'],
    [['colour'], 'error: unknown command "colour"; see --help'],
    [['--wrokers', '2'], "error: unknown option '--wrokers'"],
    [['check', '--config'], "error: option '-c, --config <file>' argument missing"],
    [['check', 'more'], "error: too many arguments for 'check'"],
    [['-v', '-q'], 'cannot be used with'],
  ])('%j is wrong usage, ended with 2', async (words, message) => {
    expect(await run(words)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });
});
