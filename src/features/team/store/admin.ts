/** Operators of a shared store: list, add and remove. */

import { readTree } from '../../../core/adapters/store/read.ts';
import type { StoreState } from '../../../core/adapters/store/records.ts';
import { checkName } from '../../../core/domain/names.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { listWords } from '../../../core/domain/words.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { checkRecipient, recipientsOf } from './age.ts';
import { mapTree } from './map-tree.ts';
import type { Opened } from './opened.ts';
import { freshKeys, type Operator, openKeys, renderKeys } from './operators.ts';
import { retried } from './retried.ts';
import type { Session } from './session.ts';
import { SHORTEST_RSA, signingKeyIn } from './signatures.ts';
import { fingerprintOf, signersAmong } from './signers.ts';

export type NewOperator = {
  readonly name: string;
  /** `age1…`, or an SSH public key; absent: the user's first SSH key or identity. */
  readonly recipient?: string | undefined;
  /** The operator can open the CA. */
  readonly ca: boolean;
  readonly client?: string | undefined;
  /** An SSH public key that signs in place of the recipient. */
  readonly signingKey?: string | undefined;
};

/** Operators, and the fingerprint of those who can sign; an empty list for a new store. */
export async function listOperators(session: Session): Promise<{ operators: readonly Operator[]; signers?: string }> {
  const { operators, signers } = await session.read();
  const last = signers.at(-1);
  return last === undefined ? { operators } : { operators, signers: fingerprintOf(last) };
}

/**
 * Grants a user or runner access to the store; on an empty store, to the user of this run. Or gives a client to an operator without one.
 * Fails with E_NAME, E_RECIPIENT, E_OPERATOR (exit 2), and like a commit.
 */
export async function addOperator(
  session: Session,
  wanted: NewOperator,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<Operator> {
  checkName('operator', wanted.name);
  const given = wanted.recipient === undefined ? undefined : await checkRecipient(wanted.recipient);
  const signingKey = wanted.signingKey === undefined ? undefined : checkSigningKey(wanted.signingKey);
  return retried(session, async (base) => {
    const before = base.operators;
    if (wanted.client !== undefined && !base.contents.has(`clients/${wanted.client}/client.json`))
      throw operatorRefusal(`there is no client ${wanted.client}`, ['docker-tls client list']);
    if (base.fresh && !wanted.ca)
      throw operatorRefusal('the first operator has to be able to open the CA', [
        `docker-tls operator add ${wanted.name}`,
      ]);
    const { name, ca, client } = wanted;
    const known = before.find((one) => one.name === name);
    if (known !== undefined) {
      if ((client ?? signingKey) === undefined || (given ?? known.recipient) !== known.recipient)
        throw operatorRefusal(`${name} is an operator already`, [
          `docker-tls operator add ${name} --client NAME`,
          `docker-tls operator remove ${name}`,
        ]);
      // The operator knows the CA's keys: only new keys revoke that right.
      if (known.ca && !ca)
        throw operatorRefusal(`${name} can open the CA, and keeps that right until removed`, [
          `docker-tls operator remove ${name}`,
          `then: docker-tls operator add ${name} ${shellQuote(known.recipient)} --client ${client} --without-ca`,
        ]);
      return changedOperator(session, base, { known, client, signingKey, dryRun });
    }
    const recipient = given ?? (await checkRecipient(await ownRecipient(session)));
    const same = before.find((one) => one.recipient === recipient);
    if (same !== undefined)
      throw operatorRefusal(`this key is that of ${same.name} already`, [`docker-tls operator remove ${same.name}`]);
    const added = { name, recipient, signingKey, ca, client, addedAt: session.now().toISOString() };
    requireOwnKey([...before, added], name);
    if (dryRun) return added;
    const operators = [...before, added];
    const fresh = base.fresh ? await firstKeys(session, operators) : {};
    const what = `operator ${name}: added${ca ? '' : ', without the CA'}`;
    await session.commit(base, { contents: base.contents, operators, ...fresh }, message('operator add', what));
    return added;
  });
}

/**
 * Keeps the operator's other rights. An operator keeps access to a client's key, and to keys that replace it, so a second client is
 * refused.
 */
async function changedOperator(
  session: Session,
  base: Opened,
  {
    known,
    client = known.client,
    signingKey = known.signingKey,
    dryRun,
  }: {
    readonly known: Operator;
    readonly client: string | undefined;
    readonly signingKey: string | undefined;
    readonly dryRun: boolean;
  },
): Promise<Operator> {
  const { name } = known;
  if (known.client !== undefined && known.client !== client)
    throw operatorRefusal(`${name} has the client ${known.client}, and can open its key until removed`, [
      `docker-tls operator remove ${name}`,
      `then: docker-tls operator add ${name} ${shellQuote(known.recipient)} --client ${client}${known.ca ? '' : ' --without-ca'}`,
    ]);
  const changed = { ...known, client, signingKey };
  const operators = base.operators.map((one) => (one === known ? changed : one));
  if (known.signingKey !== signingKey) requireOwnKey(operators, name);
  const whats = [
    ...(known.client === client ? [] : [`given client ${client}`]),
    ...(known.signingKey === signingKey ? [] : [`signs with ${signingKey}`]),
  ];
  if (dryRun || whats.length === 0) return changed;
  const what = `operator ${name}: ${whats.join(', ')}`;
  await session.commit(base, { contents: base.contents, operators }, message('operator add', what));
  return changed;
}

/** A signature has to tell who made it, so no two operators sign with one key. Fails with E_RECIPIENT and E_OPERATOR (exit 2). */
function requireOwnKey(operators: readonly Operator[], name: string): void {
  const signers = signersAmong(operators);
  const key = signers.find((one) => one.name === name)?.key;
  if (key === undefined) return;
  checkSigningKey(key);
  const other = signers.find((one) => one.key === key && one.name !== name);
  if (other !== undefined)
    throw operatorRefusal(
      `${other.name} signs with this key already, and each operator signs with a key of their own`,
      ['docker-tls operator list'],
    );
}

/** Fails with E_RECIPIENT (exit 2). */
function checkSigningKey(text: string): string {
  const key = signingKeyIn(text);
  if (key !== undefined) return key;
  throw new DockerTlsError('E_RECIPIENT', 'this is not an SSH public key that can sign a store', {
    details: [`ed25519, ECDSA, RSA of at least ${SHORTEST_RSA} bits, or one of a security key (sk-…)`],
    hints: ['the keys of your agent: ssh-add -L'],
  });
}

/**
 * Operators of a copy: those of the source store, the copying user first, added as `name` if missing. Fails with E_NAME, and with
 * E_OPERATOR (exit 2) if another operator has that name: no command could tell two equal names apart, or remove one of them.
 */
export async function operatorsOfCopy(
  session: Session,
  known: readonly Operator[],
  name: string,
): Promise<readonly Operator[]> {
  const mine = (await Promise.all((await session.identities()).map(recipientsOf))).flat();
  const me = known.find(({ ca, recipient }) => ca && mine.includes(recipient));
  const first = me ?? {
    name: checkName('operator', name),
    recipient: await checkRecipient(await ownRecipient(session)),
    ca: true,
  };
  const others = known.filter((one) => one !== me);
  if (others.some((one) => one.name === first.name))
    throw operatorRefusal(`another operator is called ${first.name}, and none of your keys is that one's`, [
      'docker-tls operator list',
    ]);
  const addedAt = session.now().toISOString();
  return [first, ...others].map((one) => ({ ...one, addedAt }));
}

/** Keys of a new store, checked to be readable by its creator. Fails with E_OPERATOR (exit 2). */
export async function firstKeys(session: Session, operators: readonly Operator[]) {
  const keys = freshKeys();
  const opened = await openKeys(await renderKeys(operators, keys), await session.identities());
  if (opened?.ca === undefined)
    throw operatorRefusal('the first operator of a store is the user who makes it, and none of your keys is this one', [
      'with your own SSH key: docker-tls operator add NAME',
    ]);
  return { keys };
}

/** The user's first SSH key or identity. Fails with E_OPERATOR (exit 2). */
export async function ownRecipient(session: Session): Promise<string> {
  for (const identity of await session.identities()) {
    const [first] = await recipientsOf(identity);
    if (first !== undefined) return first;
  }
  throw operatorRefusal('no key of yours was found on this computer', ['ssh-keygen -t ed25519']);
}

/** Re-encrypts everything under new keys for the remaining operators. */
export async function removeOperator(
  session: Session,
  name: string,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<{ removed: Operator; left: readonly Operator[]; state: StoreState }> {
  return retried(session, async (base) => {
    const removed = base.operators.find((one) => one.name === name);
    if (removed === undefined) {
      const known = base.operators.map((one) => one.name);
      throw operatorRefusal(`there is no operator ${name}${known.length > 0 ? `: ${listWords(known)}` : ''}`, [
        'docker-tls operator list',
      ]);
    }
    const left = base.operators.filter((one) => one !== removed);
    if (!left.some(({ ca }) => ca))
      throw operatorRefusal(`${name} is the last operator who can open the CA`, [
        'docker-tls operator add NAME RECIPIENT',
      ]);
    await session.requireSigner(base);
    const keys = freshKeys();
    const opened = await openKeys(await renderKeys(left, keys), await session.identities());
    if (opened?.ca === undefined) {
      throw operatorRefusal('you would lock yourself out: another operator has to remove you', [
        'docker-tls operator list',
      ]);
    }
    const next = { contents: base.contents, operators: left, keys };
    const what = `operator ${name}: removed, everything encrypted again`;
    if (!dryRun) await session.commit(base, next, message('operator remove', what));
    return { removed, left, state: readTree(session.local.home, mapTree(base.contents, session.url)) };
  });
}

function message(command: string, what: string) {
  return { subject: `docker-tls ${command}: ${what}`, lines: [what] };
}

function operatorRefusal(what: string, hints: readonly string[]): DockerTlsError {
  return new DockerTlsError('E_OPERATOR', what, { hints });
}
