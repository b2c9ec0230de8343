import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** Asks V8 itself, in a process of its own: a class that extends String, as the Redis client has one, then the mending. */
const program = `
  import { relayStringPrototype } from './src/base/string-prototype.ts';
  const isFast = new Function('return %HasFastProperties(String.prototype)');
  await import('ioredis');
  const beside = isFast();
  relayStringPrototype();
  console.log(JSON.stringify([beside, isFast()]));
`;

it('makes the methods of strings fast again beside the Redis client', async () => {
  const words = ['--allow-natives-syntax', '--import', 'tsx', '--input-type=module', '-e', program];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  // Where the first is true the client no longer does harm, and the mending may go.
  expect(JSON.parse(stdout)).toEqual([false, true]);
});
