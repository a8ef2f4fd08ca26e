/**
 * Operators whose signatures count, as a chain: each list of them is signed by an operator of the list before. A computer that knows one of
 * the lists follows the chain to the newest, and a removed operator can sign no later one.
 */

import { createHash, randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { DockerTlsError } from '../../../errors/errors.ts';
import type { Operator } from './operators.ts';
import { parseAs } from './parse-as.ts';
import { type SigningKey, signerOf, signingKeyOf } from './signatures.ts';

export const SIGNERS = 'keys/signers.json';

/** More than a team ever needs; everyone with write access to the server can make a reader verify that much. */
export const MOST_SIGNERS = { lists: 1000, operators: 1000, bytes: 1024 * 1024 } as const;

const listSchema = z.object({
  /** SHA-256 of the list before; of the first one, a random value. */
  before: z.string(),
  /** Number of the commit that brought this list. */
  sequence: z.int(),
  operators: z.array(z.object({ name: z.string(), key: z.string() })).check(
    z.maxLength(MOST_SIGNERS.operators),
    z.refine((all) => new Set(all.map(({ key }) => key)).size === all.length),
  ),
  signature: z.string(),
});
const chainSchema = z.array(listSchema).check(z.minLength(1), z.maxLength(MOST_SIGNERS.lists));

export type SignerList = z.output<typeof listSchema>;
/** Oldest first. */
export type Signers = readonly SignerList[];
export type Signer = SignerList['operators'][number];

/** Each file is verified once per run, although every check needs its chain. */
const verified = new WeakMap<Uint8Array, Signers | undefined>();

/** The chain in a file; undefined if it is not whole. */
export function readSigners(bytes: Uint8Array | undefined): Signers | undefined {
  if (bytes === undefined) return undefined;
  if (!verified.has(bytes)) verified.set(bytes, wholeChain(bytes));
  return verified.get(bytes);
}

function wholeChain(bytes: Uint8Array): Signers | undefined {
  if (bytes.length > MOST_SIGNERS.bytes) return undefined;
  const lists = parseAs(chainSchema, Buffer.from(bytes).toString('utf8'));
  const broken = lists?.some((list, at) => {
    const { operators } = lists[at - 1] ?? list;
    const last = lists[at - 1];
    const follows = last === undefined || (list.before === hashOf(last) && list.sequence > last.sequence);
    return !follows || signerOf('docker-tls-signers', textOf(list), list.signature, keysOf(operators)) === undefined;
  });
  return broken === false ? lists : undefined;
}

/** Operators who can change the store. Fails with E_RECIPIENT if a key of one of them cannot sign. */
export function signersAmong(
  operators: readonly Pick<Operator, 'name' | 'recipient' | 'signingKey' | 'ca'>[],
): Signer[] {
  return operators
    .filter(({ ca }) => ca)
    .map(({ name, recipient, signingKey }) => {
      const key = signingKey ?? signingKeyOf(recipient);
      if (key !== undefined) return { name, key };
      throw new DockerTlsError('E_RECIPIENT', `the key of ${name} cannot sign, so ${name} could not change the store`, {
        hints: [
          'an SSH key (ed25519 or rsa), or an identity of age-keygen without -pq',
          `or another key that signs, from an agent: docker-tls operator add ${name} RECIPIENT --signing-key FILE.pub`,
          `to look only: docker-tls operator add ${name} RECIPIENT --without-ca`,
        ],
      });
    });
}

/** The chain with these operators as its newest list, if they are others than before. */
export async function withSigners(
  signers: Signers,
  operators: readonly Signer[],
  sequence: number,
  by: SigningKey,
): Promise<Signers> {
  const last = signers.at(-1);
  if (last !== undefined && sameSigners(last.operators, operators)) return signers;
  const before = last === undefined ? randomUUID() : hashOf(last);
  const list = { before, sequence, operators: [...operators] };
  return [...signers, { ...list, signature: await by.sign('docker-tls-signers', textOf(list)) }];
}

export function sameSigners(some: readonly Signer[], others: readonly Signer[]): boolean {
  const text = (all: readonly Signer[]) => JSON.stringify(all.map(({ name, key }) => [name, key]).sort());
  return text(some) === text(others);
}

/** Fingerprint of a list of signers, for comparison by users and for local state: the first 32 hexadecimal digits of its SHA-256. */
export function fingerprintOf(list: SignerList): string {
  return hashOf(list).slice(0, 32);
}

export function keysOf(signers: readonly Signer[]): string[] {
  return signers.map(({ key }) => key);
}

function hashOf(list: SignerList): string {
  return createHash('sha256').update(textOf(list)).digest('hex');
}

function textOf({ before, sequence, operators }: Omit<SignerList, 'signature'>): string {
  return JSON.stringify([before, sequence, operators.map(({ name, key }) => [name, key])]);
}
