/** Parser of signed files. */

import * as z from 'zod/mini';
import { parseJson } from '../../../core/domain/json.ts';

/** A value of a schema in JSON; undefined if the text has no such value. */
export function parseAs<T extends z.ZodMiniType>(schema: T, text: string | undefined): z.output<T> | undefined {
  const { success, data } = z.safeParse(schema, parseJson(text ?? ''));
  return success ? data : undefined;
}
