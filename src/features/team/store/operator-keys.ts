/** Keys of a shared store's operators for files that are not in the store. */

import type { KeyOwner, OperatorKey, StoreOperators } from '../../../core/seams/store-operators.ts';
import type { Opened } from './opened.ts';
import type { Session } from './session.ts';
import { signingKeyOf } from './signatures.ts';
import { fingerprintOf, type Signer, type SignerList } from './signers.ts';
import { readManifest } from './store-manifest.ts';
import * as refusals from './store-refusals.ts';

/** The whole history, in practice. */
const MOST_COMMITS = 100_000;

export function storeOperators(session: Session): StoreOperators {
  const { url } = session;
  return {
    url,
    async ownKey(): Promise<OperatorKey> {
      const opened = await session.read();
      if (opened.fresh) throw refusals.fresh(url);
      const own = await session.ownKey(opened, keysOfToday(opened));
      if (own === undefined) throw refusals.cannotSign(url, opened.operators);
      const { name, key } = own;
      return {
        name,
        publicKey: wireForm(key.key),
        sign: async (message, namespace) => Buffer.from(await key.sign(namespace, message), 'base64'),
      };
    },
    async whose(publicKey): Promise<KeyOwner | undefined> {
      // The local copy would name an operator who was removed since.
      const opened = await session.readNow();
      const isIt = ({ key }: Signer) => wireForm(key).equals(publicKey);
      const today = keysOfToday(opened).find(isIt);
      const lists = opened.signers.map((list) => list.operators.find(isIt));
      const name = today?.name ?? lists.findLast((one) => one !== undefined)?.name;
      if (name === undefined) return undefined;
      if (today !== undefined) return { name, current: true, past: [] };
      return { name, current: false, past: periods(lists, await timesOf(session, opened)) };
    },
  };
}

/** Also those of operators who cannot open the CA, and therefore sign nothing in the store. */
function keysOfToday({ operators }: Opened): Signer[] {
  // If two have the same key, the one who signs in the store is meant.
  const all = [...operators].sort((one, other) => Number(other.ca) - Number(one.ca));
  return all.flatMap(({ name, recipient, signingKey }) => {
    const key = signingKey ?? signingKeyOf(recipient);
    return key === undefined ? [] : [{ name, key }];
  });
}

function wireForm(key: string): Buffer {
  return Buffer.from(key.split(' ')[1] ?? '', 'base64');
}

/** When a list of signers came, by its commits: normally there is one. */
type Times = { readonly earliest: Date; readonly latest: Date };

/** Undefined for a list whose commit the history lacks. */
async function timesOf({ engine }: Session, { snapshot, signers }: Opened): Promise<readonly (Times | undefined)[]> {
  const entries = await engine.log(snapshot.revision, MOST_COMMITS);
  const times = new Map<SignerList, Times>();
  for (const { signed } of entries) {
    const read = readManifest(signed, signers);
    if (typeof read === 'string') continue;
    const { manifest } = read;
    // Only an operator of the new list dates it: one whom it removes would choose a later time.
    const list = signers.find((one) => one.sequence === manifest.sequence);
    if (list === undefined || fingerprintOf(list) !== manifest.signers) continue;
    const at = new Date(manifest.at);
    const { earliest, latest } = times.get(list) ?? { earliest: at, latest: at };
    times.set(list, { earliest: at < earliest ? at : earliest, latest: at > latest ? at : latest });
  }
  return signers.map((list) => times.get(list));
}

/**
 * Times from the first list with a key to the next one without it. `lists`: the key's operator in each list, oldest first. A second commit with
 * a list only shortens them.
 */
export function periods(
  lists: readonly (Signer | undefined)[],
  times: readonly (Times | undefined)[],
): { readonly from: Date; readonly until: Date }[] {
  const found = [];
  for (const [at, one] of lists.entries()) {
    if (one === undefined || lists[at - 1] !== undefined) continue;
    const end = lists.findIndex((next, index) => index > at && next === undefined);
    const [from, until] = [times[at]?.latest, times[end]?.earliest];
    if (from !== undefined && until !== undefined) found.push({ from, until });
  }
  return found;
}
