/** Validation of the store's files: JSON records against their schemas, and PEM. */

import { X509Certificate } from 'node:crypto';
import * as z from 'zod/mini';
import { type Fields, isObject, parseJson } from '../../domain/json.ts';
import { readX509 } from '../../domain/pki/x509.ts';
import { schemaProblems } from '../../domain/setting-problems.ts';
import { type CaRecord, type ClientRecord, caRecord, clientRecord, type HostRecord, hostRecord } from './records.ts';
import { certificateBlocks } from './store-pem.ts';

/** A valid value, or its problem in words that follow the file's name. */
export type ParseResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

/** A file of the store with one record as JSON. */
export type RecordFile<T> = { readonly read: (text: string) => ParseResult<T>; readonly write: (record: T) => string };

export const HOST_FILE = recordFile<HostRecord>(hostRecord);
export const CLIENT_FILE = recordFile<ClientRecord>(clientRecord);
export const CA_FILE = recordFile<CaRecord>(caRecord);

function recordFile<T>(schema: z.ZodMiniType): RecordFile<T> {
  return {
    read(text) {
      const parsed = parseObject(text);
      if (!parsed.ok) return parsed;
      const read = z.safeDecode(schema, parsed.value as never);
      if (read.success) return { ok: true, value: read.data as T };
      const problems = schemaProblems(read.error.issues, { value: parsed.value });
      const words = problems.map(({ path, message }) =>
        path.length === 1 && message.includes(String(path[0])) ? message : `${path.join('.')}: ${message}`,
      );
      return { ok: false, problem: `has wrong values: ${words.join(', ')}` };
    },
    write(record) {
      const { data, error } = z.safeEncode(schema, record as never);
      if (error) throw new TypeError(`this cannot be stored: ${error.message}`);
      return `${JSON.stringify(data, null, 2)}\n`;
    },
  };
}

/** A JSON object, whatever its keys. */
export function parseObject(text: string): ParseResult<Fields> {
  const value = parseJson(text);
  if (value === undefined) return { ok: false, problem: text.trim() === '' ? 'is empty' : 'is not JSON' };
  return isObject(value) ? { ok: true, value } : { ok: false, problem: 'does not hold a JSON object' };
}

/** The problem with a text that should be one or more certificates in PEM, or undefined. */
export function certificateProblem(text: string): string | undefined {
  const blocks = certificateBlocks(text);
  if (typeof blocks === 'string') return blocks;
  for (const block of blocks) {
    try {
      readX509(block);
    } catch {
      return 'holds a certificate that cannot be read';
    }
  }
  return undefined;
}

/**
 * The directory name of a retired CA: its serial in upper case hexadecimal. A serial too short to be random is followed by the start of the
 * certificate's SHA-256, because tools that number their certificates give two CAs the same serial.
 */
export function caDirectoryName(cert: string): string {
  const { serialNumber, fingerprint256 } = new X509Certificate(cert);
  return serialNumber.length >= 16
    ? serialNumber
    : `${serialNumber}-${fingerprint256.replaceAll(':', '').slice(0, 16)}`;
}
