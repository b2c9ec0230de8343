// Policy: what is kept with a frontend for others and means nothing to the proxy.
import * as z from 'zod';
import { jsonField, textField } from './field.js';

const extraAllowed = 'an object';

export const extraFields = {
  /** A name for programs that manage frontends; the identifier of the list is what logs show. */
  id: textField(z.string().optional()),
  /** Whatever whoever registered the frontend said of it besides. */
  extra: jsonField(z.record(z.string(), z.unknown(), { error: extraAllowed }).optional()),
};
