/** Contents of snapshots. A file that two snapshots have in common is opened once. */

import type { FileContent } from '../../../core/adapters/store/store-files.ts';
import type { Snapshot } from '../engines/engine.ts';
import { type ClassKeys, type Contents, OPERATORS, openGroup } from './contents.ts';
import { FILES, MANIFEST, sha256Hex } from './store-manifest.ts';
import * as refusals from './store-refusals.ts';

/** A function that opens what the keys open. It fails with E_STORE_TAMPERED. */
export function contentsOpener(url: string): (files: Snapshot['files'], keys: ClassKeys) => Contents {
  const groups = new Map<string, { readonly hash: string; readonly entries: ReturnType<typeof openGroup> }>();
  return (files, keys) => {
    const contents = new Map<string, FileContent>();
    for (const [at, sealed] of files) {
      if (at === MANIFEST || at === FILES || at === OPERATORS || at.startsWith('keys/')) continue;
      const hash = sha256Hex(sealed);
      const known = groups.get(at);
      const entries = known?.hash === hash ? known.entries : openGroup(at, sealed, keys);
      if (entries === undefined) throw refusals.tampered(url, `${at} does not open with the store's key`);
      groups.set(at, { hash, entries });
      if (entries !== 'closed') for (const [path, content] of entries) contents.set(path, content);
    }
    return contents;
  };
}
