/**
 * Layout of a shared store: files of the local layout in groups (a host, a client, a CA). Each group is sealed as two files: one for every
 * operator, and the private keys for operators who can open the CA.
 */

import type { Incoming } from '../../../core/adapters/store/journal.ts';
import type { FileContent } from '../../../core/adapters/store/store-files.ts';
import { Secret } from '../../../core/domain/secret.ts';
import { keyFor, seal, unseal } from './seal.ts';

/** Files of the local layout by path, without keys that the reader cannot open. */
export type Contents = ReadonlyMap<string, FileContent>;

/** Keys of the two classes. An operator who cannot open the CA has no `ca`, but may have keys of single files. */
export type ClassKeys = { readonly store: Secret; readonly ca?: Secret; readonly files: ReadonlyMap<string, Secret> };

export const OPERATORS = 'operators';

/** `hosts/web` of `hosts/web/host.json`; `ca/active` for the CA's own files. */
function groupOf(path: string): string {
  const parts = path.split('/');
  if (parts[0] === 'ca' && parts.length === 2) return 'ca/active';
  return parts.slice(0, -1).join('/');
}

function place(group: string, name: string): string {
  return group === 'ca/active' ? `ca/${name}` : `${group}/${name}`;
}

export function changedContents(
  contents: Contents,
  { incoming, removals }: { readonly incoming: readonly Incoming[]; readonly removals: readonly string[] },
): Contents {
  const next = new Map(contents);
  const drop = (path: string) => {
    for (const each of [...next.keys()]) if (each === path || each.startsWith(`${path}/`)) next.delete(each);
  };
  for (const path of removals) drop(path);
  for (const { path, content } of incoming) {
    drop(path);
    if (!('files' in content)) next.set(path, content);
    else for (const [name, file] of Object.entries(content.files)) next.set(`${path}/${name}`, file);
  }
  // Every store has this file, and the manifest already has its schema.
  next.delete('store.json');
  return next;
}

/** Groups with changed file objects; sealed files of other groups stay the same. */
export function touchedGroups(before: Contents, after: Contents): ReadonlySet<string> {
  const paths = [...new Set([...before.keys(), ...after.keys()])];
  return new Set(paths.filter((path) => before.get(path) !== after.get(path)).map(groupOf));
}

/** Both texts of each group (or of selected ones), by path of the sealed file. */
export function groupTexts(contents: Contents, only?: ReadonlySet<string>): Map<string, string> {
  const groups = new Map<string, Record<string, string>>();
  const some = [...contents].filter(([path]) => only === undefined || only.has(groupOf(path)));
  for (const [path, { kind, bytes }] of some.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const at = `${groupOf(path)}/${kind === 'key' ? 'keys' : 'public'}`;
    const name = path.slice(path.lastIndexOf('/') + 1);
    groups.set(at, { ...groups.get(at), [name]: typeof bytes === 'string' ? bytes : bytes.revealText() });
  }
  return new Map([...groups].map(([at, files]) => [at, JSON.stringify(files)]));
}

export function sealGroup(at: string, text: string, keys: ClassKeys): Uint8Array {
  const classKey = at.endsWith('/keys') ? keys.ca : keys.store;
  if (classKey === undefined) throw new Error(`no key to seal ${at} with`);
  return seal(keyFor(classKey, at), at, Buffer.from(text));
}

/** Content of a sealed file. `closed`: the reader has no key; undefined: the content was altered. */
export function openGroup(
  at: string,
  sealed: Uint8Array,
  keys: ClassKeys,
): [string, FileContent][] | 'closed' | undefined {
  const secret = at.endsWith('/keys');
  const classKey = secret ? keys.ca : keys.store;
  const key = classKey === undefined ? keys.files.get(at) : keyFor(classKey, at);
  if (key === undefined) return 'closed';
  const bytes = unseal(key, at, sealed);
  if (bytes === undefined) return undefined;
  const group = at.slice(0, at.lastIndexOf('/'));
  const files = Object.entries(JSON.parse(bytes.toString('utf8')) as Record<string, string>);
  return files.map(([name, text]) => {
    const kind = secret ? 'key' : name.endsWith('.json') ? 'record' : 'certificate';
    return [place(group, name), { kind, bytes: secret ? new Secret(text) : text }];
  });
}
