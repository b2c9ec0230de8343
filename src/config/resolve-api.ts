// Rules between the settings of `api`: nobody listens to the world without asking who it is.
import { createAddressSet } from '../base/ip.js';
import type { ApiConfig } from './config.js';
import type { Draft } from './draft.js';
import type { Settings } from './schema.js';

const loopback = createAddressSet(['127.0.0.0/8', '::1']);

/** Whether an address is reached from this machine alone. */
function isLoopback(address: string): boolean {
  return loopback.has(address);
}

/** Faults and warnings go to the draft. */
export function resolveApi(api: Settings['api'], draft: Draft): ApiConfig {
  const { key = '', cert = '', url = '', tokenFile = '', ...rest } = api;
  const refuse = (name: 'key' | 'cert' | 'bind' | 'tokens' | 'clientCa', value: string, allowed: string): void => {
    const { key: path, source } = draft.origin(['api', name]);
    draft.refuse({ kind: value === '' ? 'missing' : 'wrong', path, value, allowed, source });
  };
  if (cert !== '' && key === '') refuse('key', '', 'the file that belongs to api.cert');
  if (key !== '' && cert === '') refuse('cert', '', 'the file that belongs to api.key');
  if (rest.clientCa.length > 0 && cert === '')
    refuse('cert', '', 'the certificate that the API shows, since api.clientCa asks clients for theirs');
  const names = rest.tokens.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) refuse('tokens', `two of the name ${twice}`, 'each name once');
  if (!isLoopback(rest.bind)) {
    if (rest.tokens.length === 0 && rest.clientCa.length === 0)
      refuse('bind', rest.bind, '127.0.0.1 or ::1, as long as neither api.tokens nor api.clientCa says who may call it');
    else if (cert === '')
      draft.warn(
        'WARNING! `api.bind` is reached from other machines, and tokens go over the network in clear text: set `api.cert` and `api.key`.',
      );
  }
  return { ...rest, key, cert, url, tokenFile };
}
