// The addresses of `https` with everything that each inherits from the section, and the TLS settings of older times made safe.
import { createSecureContext } from 'node:tls';
import type { TlsBind } from './config.js';
import type { Fault } from './config-error.js';
import type { Draft } from './draft.js';
import type { TlsBindSettings, TlsSettings } from './schema-listen.js';

/** The default list of Hipache 0.4: two of its entries are torn apart by a space, so OpenSSL 3 refuses it all. */
const brokenCiphers = /EECDH\+ ECDSA|EECDH\+a RSA/;

/** Every address of `https`. Faults and warnings go to the draft. */
export function resolveTlsBinds(section: TlsSettings, draft: Draft): TlsBind[] {
  if (section.bind.length === 0 && (section.key !== undefined || section.cert !== undefined)) {
    draft.warn('WARNING! `https.key` and `https.cert` have no effect: `https.bind` names no address.');
  }
  return section.bind.map((item, index) => resolveTlsBind(item, section, ['https', 'bind', index], draft));
}

function resolveTlsBind(item: TlsBindSettings, section: TlsSettings, path: readonly PropertyKey[], draft: Draft): TlsBind {
  const key = item.key ?? section.key ?? '';
  const cert = item.cert ?? section.cert ?? '';
  // Without both, the store alone has certificates. An address that brings half of a pair is told about the other half; one that brings nothing lacks what the section should say.
  const place = item.key === undefined && item.cert === undefined ? ['https'] : path;
  if (key === '' && cert !== '') draft.refuse(missing('key', 'the path of a PEM file with a private key', place, draft));
  if (cert === '' && key !== '') draft.refuse(missing('cert', 'the path of a PEM file with a certificate', place, draft));
  // The passphrase belongs to a key: an address with a key of its own does not inherit it.
  const passphrase = item.passphrase ?? (key === section.key ? section.passphrase : undefined) ?? '';
  return {
    address: item.address,
    port: item.port ?? section.port,
    ...(item.proxyProtocol === true && { proxyProtocol: true }),
    key,
    cert,
    ca: item.ca ?? section.ca ?? [],
    passphrase,
    ciphers: safeCiphers(
      item.ciphers ?? section.ciphers ?? '',
      item.ciphers === undefined ? ['https', 'ciphers'] : [...path, 'ciphers'],
      draft,
    ),
    honorCipherOrder: item.honorCipherOrder ?? section.honorCipherOrder,
    minVersion: lowestVersion(item, section, draft),
    preset: item.preset ?? section.preset,
  };
}

function missing(name: string, allowed: string, path: readonly PropertyKey[], draft: Draft): Fault {
  const { key, source } = draft.origin([...path, name]);
  return { kind: 'missing', path: key, value: '', allowed, source };
}

/** A list that OpenSSL takes. The broken default of Hipache is replaced by Node's default; any other wrong list is a fault. */
function safeCiphers(ciphers: string, path: readonly PropertyKey[], draft: Draft): string {
  if (brokenCiphers.test(ciphers)) {
    draft.warn(
      "WARNING! `https.ciphers` is Hipache's default list, which OpenSSL refuses: Node's default ciphers are used. Please remove it.",
    );
    return '';
  }
  if (ciphers === '') return '';
  try {
    createSecureContext({ ciphers });
    return ciphers;
  } catch {
    const { key, source } = draft.origin(path);
    const allowed = 'an OpenSSL cipher list with at least one known cipher';
    draft.refuse({ kind: 'wrong', path: key, value: JSON.stringify(ciphers), allowed, source });
    return '';
  }
}

/** Hipache chose protocols by OpenSSL methods and option bits; what they allowed before TLS 1.2 is no longer served. */
function lowestVersion(item: TlsBindSettings, section: TlsSettings, draft: Draft): TlsBind['minVersion'] {
  const method = item.secureProtocol ?? section.secureProtocol;
  if (method !== undefined) {
    draft.warn(
      'WARNING! `https.secureProtocol` is deprecated: TLS 1.2 and later are served. Please use `https.minVersion` instead.',
    );
  }
  if ((item.secureOptions ?? section.secureOptions) !== undefined) {
    draft.warn(
      'WARNING! `https.secureOptions` has no effect: SSLv2, SSLv3, TLS 1.0 and TLS 1.1 are never served. Please use `https.minVersion` instead.',
    );
  }
  return item.minVersion ?? (method?.startsWith('TLSv1_3') ? 'TLSv1.3' : section.minVersion);
}
