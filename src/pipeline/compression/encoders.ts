// Streams that compress, one kind for each content coding that this version of Node has.
import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import { type Coding, codings } from '../../model/policy/compression.js';

/** A stream that compresses. */
export interface Encoder {
  readonly stream: Transform;
  /** Has everything that was written come out, for a reader that waits for it. */
  flush(): void;
}

/** Much more than this of what came before makes answers hardly smaller, and costs memory for each of them. */
const brotliWindow = 19;

interface ZstdOfLaterNode {
  readonly createZstdCompress?: (options: { readonly params: Record<number, number> }) => Transform & { flush(): void };
  readonly constants: { readonly ZSTD_c_compressionLevel?: number };
}

const { createZstdCompress, constants: zstdConstants } = zlib as unknown as ZstdOfLaterNode;

/** The codings that can be made, in the order of `codings`. */
export const availableCodings: readonly Coding[] = codings.filter(
  (coding) => coding !== 'zstd' || createZstdCompress !== undefined,
);

/**
 * Makes a stream.
 * @param level 1 (fast) to 9 (small)
 * @param length bytes that will come; 0: unknown
 */
export function createEncoder(coding: Coding, level: number, length: number): Encoder {
  switch (coding) {
    case 'gzip': {
      const stream = zlib.createGzip({ level });
      // A full flush, which is the default, would forget what came before and so compress worse.
      return { stream, flush: () => stream.flush(zlib.constants.Z_SYNC_FLUSH) };
    }
    case 'br': {
      const stream = zlib.createBrotliCompress({
        params: {
          [zlib.constants.BROTLI_PARAM_QUALITY]: level,
          [zlib.constants.BROTLI_PARAM_LGWIN]: brotliWindow,
          [zlib.constants.BROTLI_PARAM_SIZE_HINT]: length,
        },
      });
      return { stream, flush: () => stream.flush() };
    }
    case 'zstd': {
      if (createZstdCompress === undefined) throw new Error('this version of Node has no zstd');
      const stream = createZstdCompress({ params: { [zstdConstants.ZSTD_c_compressionLevel ?? 100]: level } });
      return { stream, flush: () => stream.flush() };
    }
  }
}
