// `cjs-proxy encrypt-key`: encrypts a private key for the field `key` of a `tls:` record. The key is read from stdin, since words of a
// command line are seen by everybody on the machine.
import { createPrivateKey } from 'node:crypto';
import { openVault } from '../../certs/key-vault.js';
import { resealAll } from '../../certs/reseal.js';
import type { Config } from '../../config/config.js';
import { StartError } from '../../errors/start-error.js';
import { createStore } from '../../store/create-store.js';

/**
 * Prints the encrypted form of a key; one that is encrypted already, with any secret of the configuration, is encrypted anew with
 * the first.
 * @param name the host, `*.suffix` or `*` that the record is kept under
 * @returns the exit code
 * @throws StartError where there is no secret or no key
 */
export async function encryptKeyOf(config: Config, name: string, input: NodeJS.ReadStream): Promise<number> {
  const vault = openVault(config.https.storeKeys, config.https.storeKeyFile);
  if (!vault.seals) throw new StartError('there is no secret to encrypt with: set https.storeKeys or https.storeKeyFile');
  const record = `tls:${name.toLowerCase()}`;
  const key = opened(await everything(input), (text) => vault.open(record, text));
  process.stdout.write(`${vault.seal(record, key)}\n`);
  return 0;
}

/**
 * Encrypts all keys of the store with the first secret: certificates, accounts and orders of ACME, session tickets.
 * @returns the exit code: 1 where some could not be decrypted, which are named
 * @throws StartError where there is no secret, or no store
 */
export async function encryptAllKeys(config: Config): Promise<number> {
  const vault = openVault(config.https.storeKeys, config.https.storeKeyFile);
  if (!vault.seals) throw new StartError('there is no secret to encrypt with: set https.storeKeys or https.storeKeyFile');
  const store = createStore(config, (level, text) => {
    if (level !== 'info') process.stderr.write(`${text}\n`);
  });
  await store.start({ changed: () => {}, everythingChanged: () => {} });
  try {
    const { count, faults } = await resealAll(store, vault).catch((error: unknown) => {
      throw new StartError(error instanceof Error ? error.message : String(error));
    });
    process.stdout.write(`${count} encrypted\n`);
    for (const fault of faults) process.stderr.write(`${fault}\n`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await store.close();
  }
}

function opened(text: string, open: (text: string) => string): string {
  try {
    const key = open(text);
    createPrivateKey(key);
    return key;
  } catch (error) {
    const reason =
      error instanceof Error && error.message.startsWith('is encrypted') ? error.message : 'holds no private key in PEM form';
    throw new StartError(`what came by stdin ${reason}`);
  }
}

async function everything(input: NodeJS.ReadStream): Promise<string> {
  let text = '';
  for await (const piece of input.setEncoding('utf8')) text += String(piece);
  return text;
}
