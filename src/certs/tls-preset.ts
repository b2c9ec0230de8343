// What a TLS listener speaks: protocols and ciphers by Mozilla's presets, or as the configuration says.
import type { TlsOptions } from 'node:tls';
import type { TlsBind } from '../config/config.js';

/**
 * Mozilla's intermediate list without its suites over finite fields: they cost a multiple, and no client of today needs them.
 * The suites of TLS 1.3 come first, as OpenSSL wants them in one list.
 */
const intermediateCiphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

const curves = 'X25519:prime256v1:secp384r1';

/** The options of a listener besides keys and certificates. The stricter of preset and `minVersion` counts. */
export function tlsOptionsOf(bind: Pick<TlsBind, 'preset' | 'minVersion' | 'ciphers' | 'honorCipherOrder'>): TlsOptions {
  return {
    minVersion: bind.preset === 'modern' ? 'TLSv1.3' : bind.minVersion,
    maxVersion: 'TLSv1.3',
    ciphers: bind.ciphers === '' ? intermediateCiphers : bind.ciphers,
    honorCipherOrder: bind.honorCipherOrder,
    ecdhCurve: curves,
  };
}
