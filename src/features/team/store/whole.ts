/** A whole store as data: as the change that makes it of an empty one, as its files, and whether two hold the same. Pure. */

import { isDeepStrictEqual } from 'node:util';
import { changeEntries } from '../../../core/adapters/store/change.ts';
import type { FileContent } from '../../../core/adapters/store/files.ts';
import type { StoreChange, StoreState } from '../../../core/adapters/store/records.ts';
import { Secret } from '../../../core/domain/secret.ts';

/** What an empty store needs to hold all of this. */
export function changeOf({ ca, oldCas, issuers, hosts, clients }: StoreState): StoreChange {
  return {
    ca,
    oldCas,
    issuers: Object.fromEntries(issuers),
    hosts: Object.fromEntries(hosts),
    clients: Object.fromEntries([...clients].map(([name, { directory: _, ...client }]) => [name, client])),
  };
}

/** The files of a store on this computer with these contents, by their paths in it. */
export function filesOf(state: StoreState): (readonly [path: string, content: FileContent])[] {
  const empty = { fresh: true, ca: () => undefined, names: () => [] };
  return changeEntries(empty, changeOf(state)).incoming.flatMap(({ path, content }) =>
    'files' in content
      ? Object.entries(content.files).map(([name, one]) => [`${path}/${name}`, one] as const)
      : [[path, content] as const],
  );
}

/** Whether two stores hold the same, keys included, wherever their files are. */
export function sameContents(one: StoreState, other: StoreState): boolean {
  return isDeepStrictEqual(plain(changeOf(one)), plain(changeOf(other)));
}

/** Data with the bytes of keys, to be compared. */
function plain(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal().toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (each === undefined ? [] : [[key, plain(each)]])),
  );
}
