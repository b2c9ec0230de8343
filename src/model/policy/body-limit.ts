// Policy: how large the body of a request may be.
import * as z from 'zod';
import { parseSize } from '../../config/units.js';
import { jsonField } from './field.js';

const allowed = 'a number of bytes, or text such as "64KiB", "10M"';

export const bodyLimitFields = {
  /** Bytes; 0 allows no body. Absent: no limit. */
  maxBody: jsonField(
    z.preprocess(
      (written) => (typeof written === 'string' ? (parseSize(written) ?? written) : written),
      z.int({ error: allowed }).min(0, allowed).optional(),
    ),
  ),
};
