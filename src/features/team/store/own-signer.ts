/** The keys of this user that sign a commit: those of their own operator first, in files or in an SSH agent. */

import { recipientsOf } from './age.ts';
import type { Opened } from './opened.ts';
import { type SigningKey, signingKeysOf } from './signatures.ts';
import { keysOf, type Signer, signersAmong } from './signers.ts';
import type { IdentityFile } from './ssh-keys.ts';
import * as refusals from './store-refusals.ts';

type Keys = {
  readonly url: string;
  identities(): Promise<readonly IdentityFile[]>;
  agentKeys(): Promise<readonly SigningKey[]>;
  note(text: string): void;
};

type Named = { readonly name: string; readonly key: SigningKey };

export function ownSigner({ url, identities, agentKeys, note }: Keys) {
  let noted = false;

  /** The user's key among those that can sign; undefined if none. `own`: the names of the operators whose keys open the store here. */
  async function signingKey(signers: readonly Signer[], own: readonly string[]): Promise<Named | undefined> {
    const inFiles = (await Promise.all((await identities()).map(signingKeysOf))).flat();
    const among = (some: readonly Signer[], keys: readonly SigningKey[]): Named | undefined =>
      some.flatMap(({ name, key }) => keys.flatMap((one) => (one.key === key ? [{ name, key: one }] : [])))[0];
    const mine = signers.filter(({ name }) => own.includes(name));
    const first = among(mine, inFiles);
    if (first !== undefined) return first;
    // A forwarded agent may hold a colleague's key as well.
    const inAgent = await agentKeys();
    return among(mine, inAgent) ?? among(signers, inFiles) ?? among(signers, inAgent);
  }

  /** Names of the operators whose keys open the store here. */
  async function ownNames(operators: Opened['operators']): Promise<string[]> {
    const recipients = (await Promise.all((await identities()).map(recipientsOf))).flat();
    return operators.filter(({ recipient }) => recipients.includes(recipient)).map(({ name }) => name);
  }

  /** The user's own key, never that of a colleague whose key is here as well; undefined if it is not here. */
  async function ownKey({ operators }: Pick<Opened, 'operators'>, signers: readonly Signer[]) {
    const own = await ownNames(operators);
    return signingKey(
      signers.filter(({ name }) => own.includes(name)),
      own,
    );
  }

  /** The user's keys for a commit on top of it: one that signs new `signers`, and one of these. Fails if this user cannot commit. */
  async function requireSigner(
    { keys, operators, signers }: Pick<Opened, 'keys' | 'operators' | 'signers'>,
    next = signersAmong(operators),
  ): Promise<{ before: SigningKey; me: Named }> {
    if (keys?.ca === undefined) throw refusals.readOnly(url, operators);
    const own = await ownNames(operators);
    // A new list of signers has the signature of an operator of the one before.
    const before = await signingKey(signers.at(-1)?.operators ?? next, own);
    const stays = before !== undefined && keysOf(next).includes(before.key.key);
    const me = stays ? before : await signingKey(next, own);
    if (before === undefined || me === undefined) throw refusals.cannotSign(url, operators);
    if (own.length > 0 && !own.includes(me.name) && !noted) {
      noted = true;
      note(`signed as ${me.name}: the key of ${own.join(', ')} opens the store, and no key here signs for ${own[0]}`);
    }
    return { before: before.key, me };
  }

  return { requireSigner, ownKey };
}
