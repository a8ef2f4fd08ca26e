/** A second place that has seen a shared store: a mirror of its branch, or its head as JSON, in a repository or at an HTTPS address. */

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { join, resolve } from 'node:path';
import * as z from 'zod/mini';
import type { OpenOptions } from '../../../core/adapters/store/store-url.ts';
import { fieldsOf, parseJson } from '../../../core/domain/json.ts';
import { type StoreMark, storeMark } from '../../../core/domain/plan/host-state.ts';
import { asWritten, DockerTlsError, printable } from '../../../errors/errors.ts';
import { type Listing, MOST } from '../engines/engine.ts';
import { gitEngine } from '../engines/git.ts';
import { parseStoreAddress } from './address.ts';
import { fingerprintOf, SIGNERS } from './signers.ts';
import { FILES, MANIFEST, readSigned } from './store-manifest.ts';

/** The file of a repository that is no mirror: the output of `docker-tls store check --json`. */
export const HEAD_FILE = 'head.json';

const LIMIT_MS = 20_000;
const MOST_BYTES = 64 * 1024;

/**
 * What a witness has seen. It is not verified: a false witness can only refuse a good store. `ca`: CAs of an HTTPS server; default: those of
 * Node.js. Fails with E_STORE_WITNESS (exit 4), E_STORE_URL (exit 2), and as reading a repository does.
 */
export async function readWitness(url: string, options: OpenOptions, ca?: string): Promise<StoreMark> {
  if (url.startsWith('https://')) return markIn(url, await textAt(url, options.signal, ca));
  const address = parseStoreAddress(url);
  if (address.kind !== 'git') throw unusable(url, 'a witness is a repository (git+…) or an HTTPS address');
  const first = [HEAD_FILE, MANIFEST, FILES, SIGNERS];
  const listing: Listing = { first, most: MOST, of: () => ({ paths: new Set(), genuine: () => false }) };
  const { signal } = options;
  const before = async () => options.hideSecrets?.();
  const cache = join(resolve(options.home), 'witness.git');
  const { files, revision, offline } = await gitEngine({ ...address, cache, listing, signal, before }).read();
  if (offline !== undefined) throw offline.cause;
  // In a mirror it is a file of whoever writes to the mirrored branch, and would name an old head.
  const head = files.has(MANIFEST) ? undefined : files.get(HEAD_FILE);
  if (head !== undefined) return markIn(url, Buffer.from(head).toString('utf8'));
  const signed = revision === '' ? 'is empty' : readSigned(files);
  if (typeof signed === 'string') throw unusable(url, `it ${signed}, and has no ${HEAD_FILE}`);
  const { manifest, signers } = signed;
  return { id: fingerprintOf(signers[0] as (typeof signers)[number]), number: manifest.sequence, hash: revision };
}

/** The head in the output of `store check --json`, or alone. */
function markIn(url: string, text: string): StoreMark {
  const document = fieldsOf(parseJson(text));
  const { head } = fieldsOf(document.result);
  const { success, data: mark } = z.safeParse(storeMark, head ?? document);
  if (!success) throw unusable(url, 'it is not the output of: docker-tls store check --json');
  return mark;
}

async function textAt(url: string, signal: AbortSignal | undefined, ca: string | undefined): Promise<string> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  const limits = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  try {
    // Otherwise NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would decide.
    const request = get(url, { signal: limits, agent: false, rejectUnauthorized: true, ca });
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    if (answer.statusCode !== 200) {
      answer.destroy();
      throw unusable(url, `status ${answer.statusCode}`);
    }
    let text = '';
    for await (const chunk of answer.setEncoding('utf8')) {
      text += chunk;
      if (text.length > MOST_BYTES) throw unusable(url, `it is longer than ${MOST_BYTES / 1024} kB`);
    }
    return text;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof DockerTlsError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw unusable(url, limit.aborted ? 'no answer' : printable(typeof code === 'string' ? code : message, 200), error);
  }
}

/** The error for a witness that says nothing about the store. */
export function unusable(url: string, why: string, cause?: unknown): DockerTlsError {
  const hints = [asWritten('publish there, on a computer that uses the store: docker-tls store check --json')];
  return new DockerTlsError('E_STORE_WITNESS', `this witness says nothing about the store: ${why}`, {
    where: url,
    cause,
    hints,
  });
}
