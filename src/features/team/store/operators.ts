/** Operators of a shared store: their list, and the age files with the keys that they can open. */

import * as z from 'zod/mini';
import { Secret } from '../../../core/domain/secret.ts';
import { decryptWith, encryptFor, stanzasIn } from './age.ts';
import { type ClassKeys, OPERATORS } from './contents.ts';
import { keyFor, newKey, seal, unseal } from './seal.ts';
import { type IdentityFile, stanzaOf } from './ssh-keys.ts';

const operator = z.object({
  name: z.string(),
  /** `age1…`, or an SSH public key. */
  recipient: z.string(),
  /** An SSH public key that signs in place of the recipient's: an agent holds it. */
  signingKey: z.optional(z.string()),
  /** Can open the CA, and so change the store. */
  ca: z.boolean(),
  /** The client whose key this operator can open without the CA. */
  client: z.optional(z.string()),
  addedAt: z.string(),
});
export type Operator = Readonly<z.output<typeof operator>>;

const STORE = 'keys/store.age';
const CA = 'keys/ca.age';

function grantPath(client: string): string {
  return `keys/clients/${client}.age`;
}

/** New keys for a new store, or instead of those that a removed operator knows. */
export function freshKeys(): Required<ClassKeys> {
  return { store: newKey(), ca: newKey(), files: new Map() };
}

/** Keys that the identities can open; undefined if none. */
export async function openKeys(
  files: ReadonlyMap<string, Uint8Array>,
  identities: readonly IdentityFile[],
): Promise<ClassKeys | undefined> {
  async function open<T>(path: string): Promise<T | undefined> {
    const sealed = files.get(path);
    const bytes = sealed === undefined ? undefined : await decryptWith(identities, sealed);
    return bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString('utf8')) as T);
  }
  const store = await open<{ key: string }>(STORE);
  if (store === undefined) return undefined;
  const ca = await open<{ key: string }>(CA);
  const grants = ca === undefined ? [...files.keys()].filter((path) => path.startsWith('keys/clients/')) : [];
  const given = new Map<string, Secret>();
  for (const path of grants) {
    const grant = await open<{ key: string; path: string }>(path);
    if (grant !== undefined) given.set(grant.path, secret(grant.key));
  }
  const keys = { store: secret(store.key), files: given };
  return ca === undefined ? keys : { ...keys, ca: secret(ca.key) };
}

/** Key files for these operators. */
export async function renderKeys(
  operators: readonly Operator[],
  keys: Required<ClassKeys>,
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const to = (path: string) => (all.get(path) ?? []).map(({ recipient }) => recipient);
  const all = owners(operators);
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const text = (key: Secret) => key.reveal().toString('base64');
  files.set(STORE, await encryptFor(to(STORE), json({ key: text(keys.store) })));
  files.set(CA, await encryptFor(to(CA), json({ key: text(keys.ca) })));
  for (const client of new Set(operators.flatMap((one) => one.client ?? []))) {
    const path = `clients/${client}/keys`;
    const grant = json({ path, key: text(keyFor(keys.ca, path)) });
    files.set(grantPath(client), await encryptFor(to(grantPath(client)), grant));
  }
  files.set(OPERATORS, seal(keyFor(keys.store, OPERATORS), OPERATORS, json(operators)));
  return files;
}

/** The files of keys, each with the operators who can open it. */
function owners(operators: readonly Operator[]): Map<string, readonly Operator[]> {
  const clients = new Set(operators.flatMap((one) => one.client ?? []));
  return new Map([
    [STORE, operators],
    [CA, operators.filter(({ ca }) => ca)],
    ...[...clients].map((client) => [grantPath(client), operators.filter((one) => one.client === client)] as const),
  ]);
}

/**
 * The first file of keys that is encrypted for others than its operators. An additional recipient always shows. One in the place of an
 * operator shows by the tag of an SSH key; otherwise only that operator notices, who cannot open the store then.
 */
export function foreignKeys(
  files: ReadonlyMap<string, Uint8Array>,
  operators: readonly Operator[],
): string | undefined {
  const expected = owners(operators);
  const there = [...files.keys()].filter((path) => path.startsWith('keys/') && path.endsWith('.age'));
  return [...new Set([...expected.keys(), ...there])].find((path) => {
    const own = (expected.get(path) ?? []).map(({ recipient }) => stanzaOf(recipient)).sort();
    return own.join() !== stanzasIn(files.get(path) ?? new Uint8Array()).join();
  });
}

/** The operator list; undefined if the file is invalid. */
export function readOperators(
  files: ReadonlyMap<string, Uint8Array>,
  keys: ClassKeys,
): readonly Operator[] | undefined {
  const bytes = unseal(keyFor(keys.store, OPERATORS), OPERATORS, files.get(OPERATORS) ?? Buffer.alloc(0));
  return bytes === undefined ? undefined : z.parse(z.array(operator), JSON.parse(bytes.toString('utf8')));
}

function secret(base64: string): Secret {
  return new Secret(Buffer.from(base64, 'base64'));
}
