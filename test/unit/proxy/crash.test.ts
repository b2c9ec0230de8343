import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const program = (accident: string) => `
  import { createLogger } from './src/observe/logger.js';
  import { crashOnUncaught } from './src/proxy/crash.js';
  crashOnUncaught(createLogger('info'));
  ${accident}
  setInterval(() => {}, 1000);`;

describe('an error that nobody handled', () => {
  it.each([
    { origin: 'uncaughtException', accident: `setTimeout(() => { throw new Error('lost its way'); });` },
    { origin: 'unhandledRejection', accident: `Promise.reject(new Error('lost its way'));` },
  ])('ends the process with exit code 1 and its stack in the log: $origin', async ({ origin, accident }) => {
    const args = ['--import', 'tsx', '--input-type=module', '--eval', program(accident)];
    const { code, stderr } = await promisify(execFile)(process.execPath, args).then(
      () => expect.fail('it went on'),
      (error: { code: number; stderr: string }) => error,
    );
    expect(code).toBe(1);
    const line = JSON.parse(stderr) as { msg: string; origin: string; error: { stack: string } };
    expect(line.msg).toContain('lost its way');
    expect(line.origin).toBe(origin);
    expect(line.error.stack).toContain('Error: lost its way\n    at');
  });
});
