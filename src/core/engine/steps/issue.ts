/** Issuing step: after consent, under the store's lock, from the current state of the store. */

import { isDeepStrictEqual } from 'node:util';
import { DockerTlsError, DockerTlsErrors } from '../../../errors/errors.ts';
import type { StoreChange, StoreState } from '../../adapters/store/records.ts';
import type { Credentials } from '../../domain/plan/desired.ts';
import { storeSettings } from '../../domain/store-settings.ts';
import { caAfter, type Wanted } from '../../domain/trust/changes.ts';
import { keptChain } from '../../domain/trust/server.ts';
import { asksExternalCa, bundleOf } from '../../domain/trust/view.ts';
import type { CopiesOutcome, HostProgress } from '../../runtime.ts';
import { refreshCopies } from '../installed-copies.ts';
import type { Base, Planned, PlannedHost, Run } from '../intent.ts';
import { type IssuerOptions, openIssuer } from '../issue.ts';
import { willSign } from './approve.ts';
import { whileHeld } from './hold.ts';
import { withHostKey } from './host-key.ts';
import { storeChanged } from './record.ts';

export type Issued = Base & {
  readonly copies: ReadonlyMap<string, CopiesOutcome>;
  /** Removes credentials made for hosts, if no host came to use them. */
  retract(): Promise<void>;
};

/** Whether an external CA issues for this run. */
export function asksOutside({ wanted, state }: Base): boolean {
  return asksExternalCa({ ca: caAfter(state.ca, wanted.credentials) });
}

/** Asks for the CA's passphrase if something will be signed. Runs before the store's lock, so that a typing person blocks no other run. */
export async function unlockCa(hosts: Planned['hosts'], base: Base, run: Run): Promise<void> {
  if (!willSign(hosts, base)) return;
  await openIssuer(base.state, issuing(run, base.now)).unlock(base.wanted.credentials);
}

/**
 * Makes the requested changes to the CA and the clients, from the store's current state, and writes them. Fails with E_STORE_CHANGED (exit
 * 4) if a person approved a plan and the changes now differ, or if the store changed while an external CA signed; otherwise as the issuer
 * and the store do.
 */
export async function issueCredentials(
  { intent, wanted, known, state: before, now }: Base,
  run: Run,
  /** The store stays locked until every host is done, so that these changes can be undone completely. */
  held: boolean,
): Promise<Issued> {
  const { store } = run;
  const options = issuing(run, now);
  const nothing = { intent, known, now, issued: true, retract: async () => {} };
  if (wanted.credentials.length === 0) {
    const copies = wanted.copies ? await refreshAll([...before.clients.keys()], before, run) : NONE;
    return { ...nothing, wanted, state: before, copies };
  }
  const prepare = async (scope?: { readonly fresh: true }) => {
    const state = await store.read(scope);
    const again = intent.want(state, now);
    if (run.asks && !isDeepStrictEqual(again, wanted)) throw changed();
    return { state, again };
  };
  const changed = () => storeChanged(store.home, 'the CA or its clients');
  const carryOut = ({ state, again }: Awaited<ReturnType<typeof prepare>>) =>
    openIssuer(state, options).carryOut(again.credentials);
  const asks = asksExternalCa({ ca: caAfter(before.ca, wanted.credentials) });
  // Read fresh, so as not to request again what another run has just received.
  const early = asks ? await prepare({ fresh: true }) : undefined;
  const signed = early === undefined ? undefined : await carryOut(early);
  return store.withLock(`docker-tls ${intent.reason}`, async () => {
    const present = await prepare();
    const { state, again } = present;
    if (early !== undefined && signed !== undefined && !isStill(early.state, state, signed)) throw changed();
    if (early !== undefined && !isDeepStrictEqual(early.again.credentials, again.credentials)) throw changed();
    const change = signed ?? (await carryOut(present));
    const written = await store.write(change);
    // Settings from the fleet file count as accepted on this machine.
    for (const one of again.credentials) {
      const settings = one.kind === 'import-ca' ? storeSettings(one.ca.record) : undefined;
      if (settings !== undefined) await store.accept(settings.id);
    }
    const after = await store.read();
    const renewed = wanted.copies ? [...after.clients.keys()] : Object.keys(change.clients ?? {});
    const copies = await refreshAll(renewed, after, run);
    return {
      ...nothing,
      wanted: again,
      state: after,
      copies,
      retract: () => (held ? written.undo() : retract(again, state, run, intent.reason)),
    };
  });
}

/** Whether the inputs of a change are still the same: the CAs, and the clients and issuing CAs that it replaces. */
function isStill(before: StoreState, now: StoreState, { clients = {}, issuers = {} }: StoreChange): boolean {
  const seen = ({ ca, oldCas, ...state }: StoreState) => [
    [ca, ...oldCas].map((one) => one?.cert),
    // The record too, because a revocation changes nothing else.
    Object.keys(clients).map((name) => [state.clients.get(name)?.cert, state.clients.get(name)?.record]),
    Object.keys(issuers).map((name) => state.issuers.get(name)?.cert),
  ];
  return isDeepStrictEqual(seen(before), seen(now));
}

const NONE: Issued['copies'] = new Map();

function issuing({ passphrase, runtime, signer, approve, progress }: Run, now: Date): IssuerOptions {
  return { passphrase, runtime, now, signer, approve, note: (text) => progress.note(text) };
}

/** Updates docker's contexts and directories that hold copies of clients' files. */
async function refreshAll(
  names: readonly string[],
  state: StoreState,
  { progress, runtime }: Pick<Run, 'progress' | 'runtime'>,
): Promise<Issued['copies']> {
  const copies = new Map<string, CopiesOutcome>();
  for (const name of names) {
    const client = state.clients.get(name);
    if (client !== undefined && client.record.revokedAt === undefined && client.record.reaches === undefined)
      copies.set(name, await refreshCopies(client, state, runtime));
    for (const what of copies.get(name)?.missing ?? [])
      progress.note(`gone, or not written by docker-tls, and so not updated: ${what}`);
  }
  return copies;
}

/**
 * Updates docker's copies on this machine while both CAs are accepted and the store still recognizes files of the old CA. Otherwise docker
 * on this machine could be locked out. Fails with E_CLIENT_COPY.
 */
export async function requireCopies(state: StoreState, run: Run): Promise<void> {
  const copies = await refreshAll([...state.clients.keys()], state, run);
  const problems = [...copies.values()].flatMap((one) => one.problems);
  if (problems.length === 0) return;
  throw new DockerTlsErrors([
    ...problems,
    new DockerTlsError(
      'E_CLIENT_COPY',
      'the old CA is still accepted: docker on this machine could not be given its new files',
      { hints: ['docker-tls rotate ca --drop'] },
    ),
  ]);
}

/** Removes only what this run has made, and only if no host was added to the store since. */
async function retract(wanted: Wanted, before: StoreState, { store, shared }: Run, reason: string): Promise<void> {
  if (!wanted.temporary || shared) return;
  await store.withLock(`docker-tls ${reason}`, async () => {
    const { ca, oldCas, hosts, clients, issuers } = await store.read();
    if (hosts.size > before.hosts.size) return;
    const made = (names: Iterable<string>, known: ReadonlyMap<string, unknown>) =>
      [...names].filter((name) => !known.has(name));
    const wantedNames = wanted.credentials.flatMap((one) => (one.kind === 'client' ? [one.record.name] : []));
    const fresh = made(wantedNames, before.clients).filter((name) => clients.has(name));
    await store.write({
      retireCa: (before.ca === undefined && ca !== undefined) || undefined,
      removeClients: fresh,
      removeIssuers: made(fresh, before.issuers).filter((name) => issuers.has(name)),
    });
    if (before.ca !== undefined || ca === undefined) return;
    const known = new Set(oldCas.map(({ serial }) => serial));
    const retired = (await store.read()).oldCas.filter(({ serial }) => !known.has(serial));
    await store.write({ removeOldCas: retired.map(({ serial }) => serial) });
  });
}

/**
 * Credentials of a host, ready to send. A kept certificate comes from the store; a new one is issued now. A key made on the host exists
 * only until `work` ends.
 */
export async function withCredentials<T>(
  planned: PlannedHost,
  /** ID of the change that follows. */
  id: string,
  base: Pick<Base, 'intent' | 'state'>,
  run: Run,
  progress: HostProgress,
  work: (sent: Credentials | undefined) => Promise<T>,
): Promise<T> {
  const { credentials, latest, spec } = planned;
  if (credentials === undefined || 'restored' in credentials) return work(undefined);
  const now = run.runtime.now();
  // The plan was made after issuing, so every CA has its ID.
  const ca = bundleOf(credentials.trust, latest, spec.acceptCa);
  const withChain = (cert: string) => keptChain(cert, latest, latest);
  const { certificate } = credentials;
  if ('keep' in certificate) {
    const known = latest.hosts.get(spec.name);
    const cert = withChain(known?.serverCert ?? '');
    const key = known?.serverKey;
    const source: Credentials['key'] =
      credentials.key === 'send' && key !== undefined ? { kind: 'send', key } : { kind: 'keep' };
    return work({ ca, cert, key: source });
  }
  const sign = async (publicKey?: string) => {
    const { cert, key } = await openIssuer(latest, issuing(run, now)).server(spec.name, certificate.issue, publicKey);
    return { cert: withChain(cert), key };
  };
  const issue = (publicKey?: string) =>
    asksExternalCa(latest)
      ? whileHeld(planned, id, base, run, () => sign(publicKey))
      : run.store.withLock(`docker-tls ${base.intent.reason}`, () => sign(publicKey), { joins: true });
  if (credentials.key === 'host')
    return withHostKey(planned, run, progress, async ({ publicKey, path }) => {
      const { cert } = await issue(publicKey);
      return work({ ca, cert, key: { kind: 'host', path } });
    });
  progress.phase('issue');
  const { cert, key } = await issue();
  if (key === undefined) throw new Error(`no key for the certificate of ${spec.name}`);
  return work({ ca, cert, key: { kind: 'send', key } });
}
