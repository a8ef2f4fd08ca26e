/**
 * Replay of a store's commits, oldest first, with the list of signers in force at each: an operator who was removed could commit on top of the
 * removal, with a chain that leaves it out.
 */

import type { Ancestor, Snapshot, StoreEngine } from '../engines/engine.ts';
import type { SeenState } from './local-copy.ts';
import { fingerprintOf, keysOf } from './signers.ts';
import { MANIFEST, manifestOn, type Signed, sha256Hex } from './store-manifest.ts';
import * as refusals from './store-refusals.ts';

/** After a commit: the place in the chain of the list in force, -1 before the first; and the number of the newest commit that counts. */
type Then = { readonly list: number; readonly sequence: number };

/**
 * Every commit before this one, on both lines of a restoration, either nobody in force has signed, or it names a list of the chain, and never
 * an earlier one than before. What this computer has seen, and what `?key=` names, is in force from the start. Fails with E_STORE_TAMPERED.
 */
export async function requireInForce(
  engine: Pick<StoreEngine, 'ancestry' | 'url'>,
  { revision, files }: Pick<Snapshot, 'revision' | 'files'>,
  { signers, manifest: shown }: Signed,
  { before, pinned }: { readonly before: SeenState | undefined; readonly pinned: string | undefined },
): Promise<void> {
  const { url } = engine;
  const chain = new Map(signers.map((list, at) => [fingerprintOf(list), at]));
  const members = signers.map(({ operators }) => new Set(keysOf(operators)));
  const all = [...new Set(members.flatMap((some) => [...some]))];
  const known = before?.signers.at(-1);
  if (known !== undefined && !chain.has(known)) throw refusals.leftOut(url);
  const first = Math.max(...[known, pinned].map((one) => chain.get(one ?? '') ?? -1));
  const seen = new Map<string, Then>();

  function after({ history, signed }: Ancestor): Then {
    const { parent, regained } = history;
    const lines = [parent, ...(regained?.split(' ') ?? [])].map((one) => seen.get(one));
    const list = Math.max(first, ...lines.map((one) => one?.list ?? -1));
    // A restored state continues its own line: numbers of the replaced one may be anything.
    const sequence = (regained === undefined ? lines[0] : lines[1])?.sequence ?? 0;
    const skipped = { list, sequence };
    const read = manifestOn(history, signed, all);
    if (read === undefined || read.manifest.sequence <= sequence) return skipped;
    const { manifest, key } = read;
    const named = chain.get(manifest.signers);
    if (named === undefined && members[list]?.has(key)) throw refusals.leftOut(url);
    if (named === undefined || named < list || !members[named]?.has(key)) return skipped;
    return { list: named, sequence: manifest.sequence };
  }

  let newest: Ancestor | undefined;
  for await (const commit of engine.ancestry(revision, before?.revision ?? '')) {
    const { parent } = commit.history;
    if (before === undefined && parent !== '' && !seen.has(parent)) throw refusals.incomplete(url);
    const then = after(commit);
    // Whose list was the first: a second beginning may be that of the real store.
    if (parent === '' && first === -1 && then.list !== 0) throw refusals.leftOut(url);
    seen.set(commit.revision, then);
    newest = commit;
  }
  if (newest?.revision !== revision || sha256Hex(newest.signed) !== sha256Hex(files.get(MANIFEST)))
    throw refusals.incomplete(url);
  if (seen.get(revision)?.sequence !== shown.sequence)
    throw refusals.tampered(url, 'the store has a commit whose number is not higher than the one before');
}
