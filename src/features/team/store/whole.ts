/** A whole store as data: as a change of an empty store, as files, and comparison of two stores. Pure. */

import { isDeepStrictEqual } from 'node:util';
import type { StoreChange, StoreState } from '../../../core/adapters/store/records.ts';
import { changeEntries } from '../../../core/adapters/store/store-change.ts';
import type { FileContent } from '../../../core/adapters/store/store-files.ts';
import { Secret } from '../../../core/domain/secret.ts';
import { unmarked } from '../../../core/domain/store-settings.ts';

/** The change that fills an empty store with this content. */
export function changeOf({ ca, oldCas, issuers, hosts, clients }: StoreState): StoreChange {
  return {
    ca,
    oldCas,
    issuers: Object.fromEntries(issuers),
    hosts: Object.fromEntries(
      [...hosts].map(([name, { record, ...host }]) => [
        name,
        { ...host, record: { ...record, ssh: unmarked(record.ssh) } },
      ]),
    ),
    clients: Object.fromEntries([...clients].map(([name, { directory: _, ...client }]) => [name, client])),
  };
}

/** Files of a local store with this content, by path. */
export function storeFiles(state: StoreState): (readonly [path: string, content: FileContent])[] {
  const empty = { fresh: true, ca: () => undefined, names: () => [] };
  return changeEntries(empty, changeOf(state)).incoming.flatMap(({ path, content }) =>
    'files' in content
      ? Object.entries(content.files).map(([name, one]) => [`${path}/${name}`, one] as const)
      : [[path, content] as const],
  );
}

/** True if two stores have the same content, keys included, in any layout. */
export function sameContents(one: StoreState, other: StoreState): boolean {
  return isDeepStrictEqual(plain(changeOf(one)), plain(changeOf(other)));
}

/** Data with the bytes of keys, for comparison. */
function plain(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal().toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (each === undefined ? [] : [[key, plain(each)]])),
  );
}
