/** Issuing step: after consent, under the store's lock, from the current state of the store. */

import { isDeepStrictEqual } from 'node:util';
import type { DockerTlsError } from '../../../errors/errors.ts';
import type { StoreChange, StoreState } from '../../adapters/store/records.ts';
import type { Credentials } from '../../domain/plan/desired.ts';
import { storeSettings } from '../../domain/store-settings.ts';
import { caAfter, specsOf, type Wanted } from '../../domain/trust/changes.ts';
import { keptChain } from '../../domain/trust/server.ts';
import { asksExternalCa, bundleOf } from '../../domain/trust/view.ts';
import type { HostProgress } from '../../runtime.ts';
import { type CopiesOutcome, refreshCopies } from '../../seams/copies.ts';
import { hostCsr } from '../../seams/host-csr.ts';
import type { Base, ChangeContext, PlannedHost, Run } from '../intent.ts';
import { type IssuerOptions, openIssuer } from '../issue.ts';
import { willSign } from './approve.ts';
import { whileHeld } from './hold.ts';
import { storeChanged } from './record.ts';

/** Asks for the CA's passphrase if something will be signed. Runs before the store's lock, so that a typing person blocks no other run. */
export async function unlockCa({ hosts, wanted, state, run, now }: ChangeContext): Promise<void> {
  if (willSign(hosts, { wanted })) await openIssuer(state, issuing(run, now)).unlock(wanted.credentials);
}

/**
 * Makes the requested changes to the CA and the clients, from the store's current state, and writes them. Fails with E_STORE_CHANGED (exit
 * 4) if a person approved a plan and the changes now differ, or if the store changed while an external CA signed; otherwise as the issuer
 * and the store do.
 */
export async function issueCredentials(context: ChangeContext): Promise<void> {
  const { wanted, state: before, run, intent } = context;
  if (wanted.credentials.length === 0) {
    if (wanted.copies) context.copies = await refreshAllCopies([...before.clients.keys()], before, run);
  } else {
    const asks = asksExternalCa({ ca: caAfter(before.ca, wanted.credentials) });
    const early = asks ? await signEarly(context) : undefined;
    await run.store.withLock(`docker-tls ${intent.reason}`, () => issueLocked(context, early));
  }
  context.issued = true;
}

/** Changes that an external CA has signed without the store's lock, and what they were signed for. */
type Early = Decided & { readonly signed: StoreChange };

async function signEarly(context: ChangeContext): Promise<Early> {
  // Read fresh, so as not to request again what another run has just received.
  const decided = await decideAgain(context, { fresh: true });
  return { ...decided, signed: await carryOut(decided, context) };
}

async function issueLocked(context: ChangeContext, early: Early | undefined): Promise<void> {
  const { run } = context;
  const { store } = run;
  const decided = await decideAgain(context);
  const { state, wanted } = decided;
  if (early !== undefined && !isSigned(early, decided)) throw changedMeanwhile(run);
  const change = early?.signed ?? (await carryOut(decided, context));
  const { undo } = await store.write(change);
  // Settings from the fleet file count as accepted on this machine.
  for (const one of wanted.credentials) {
    const settings = one.kind === 'import-ca' ? storeSettings(one.ca.record) : undefined;
    if (settings !== undefined) await store.accept(settings.id);
  }
  const after = await store.read();
  const renewed = wanted.copies ? [...after.clients.keys()] : Object.keys(change.clients ?? {});
  Object.assign(context, { wanted, state: after, written: { before: state, undo } });
  context.copies = await refreshAllCopies(renewed, after, run);
}

/** A state of the store, and what is wanted then. */
type Decided = { readonly state: StoreState; readonly wanted: Wanted };

/** Decides again, from what is stored now. The trust of each host is compared at its turn, with its plan. */
async function decideAgain(
  { intent, run, now, wanted }: ChangeContext,
  scope?: { readonly fresh: true },
): Promise<Decided> {
  const state = await run.store.read(scope);
  const again = intent.want(state, now);
  const agreed = (one: Wanted) => ({ ...one, hosts: specsOf(one) });
  if (run.asks && !isDeepStrictEqual(agreed(again), agreed(wanted))) throw changedMeanwhile(run);
  return { state, wanted: again };
}

function carryOut({ state, wanted }: Decided, { run, now }: ChangeContext): Promise<StoreChange> {
  return openIssuer(state, issuing(run, now)).carryOut(wanted.credentials);
}

function changedMeanwhile({ store }: Run): DockerTlsError {
  return storeChanged(store.home, 'the CA or its clients');
}

/** Whether the signed changes are the ones that are wanted now, and their inputs are still the same. */
function isSigned(early: Early, { state, wanted }: Decided): boolean {
  return isDeepStrictEqual(early.wanted.credentials, wanted.credentials) && isStill(early.state, state, early.signed);
}

/**
 * Whether the inputs of a change are still the same: the CAs, the clients and issuing CAs that it replaces, and the passphrase of the keys
 * (keys of the same certificate are stored in the same form).
 */
function isStill(before: StoreState, now: StoreState, { clients = {}, issuers = {} }: StoreChange): boolean {
  const same = [...before.issuers].filter(([name, { cert }]) => now.issuers.get(name)?.cert === cert);
  const seen = ({ ca, oldCas, ...state }: StoreState) => [
    [ca, ...oldCas].map((one) => [one?.cert, one?.keyPem?.revealText()]),
    // The record too, because a revocation changes nothing else.
    Object.keys(clients).map((name) => [state.clients.get(name)?.cert, state.clients.get(name)?.record]),
    Object.keys(issuers).map((name) => state.issuers.get(name)?.cert),
    same.map(([name]) => state.issuers.get(name)?.keyPem?.revealText()),
  ];
  return isDeepStrictEqual(seen(before), seen(now));
}

function issuing({ passphrase, runtime, signer, approve, progress }: Run, now: Date): IssuerOptions {
  return { passphrase, runtime, now, signer, approve, note: (text) => progress.note(text) };
}

/** Updates docker's contexts and directories that hold copies of clients' files. */
export async function refreshAllCopies(
  names: readonly string[],
  state: StoreState,
  { progress }: Pick<Run, 'progress'>,
): Promise<ChangeContext['copies']> {
  const copies = new Map<string, CopiesOutcome>();
  for (const name of names) {
    const client = state.clients.get(name);
    if (client !== undefined && client.record.revokedAt === undefined && client.record.reaches === undefined)
      copies.set(name, await refreshCopies(client, state));
    for (const what of copies.get(name)?.missing ?? [])
      progress.note(`gone, or not written by docker-tls, and so not updated: ${what}`);
  }
  return copies;
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
    return (await hostCsr(spec.name)).withHostKey(planned, run.runtime, progress, async ({ publicKey, path }) => {
      const { cert } = await issue(publicKey);
      return work({ ca, cert, key: { kind: 'host', path } });
    });
  progress.phase('issue');
  const { cert, key } = await issue();
  if (key === undefined) throw new Error(`no key for the certificate of ${spec.name}`);
  return work({ ca, cert, key: { kind: 'send', key } });
}
