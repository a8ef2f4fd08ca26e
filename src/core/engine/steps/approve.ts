/** Signer settings of the store that a plan uses on this machine. */

import type { Signer } from '../../domain/external-ca.ts';
import { storeSettings } from '../../domain/store-settings.ts';
import { caAfter, signs } from '../../domain/trust/changes.ts';
import type { Base, Planned, Run } from '../intent.ts';

/** Whether the planned changes sign something. */
export function willSign(hosts: Planned['hosts'], { wanted }: Pick<Base, 'wanted'>): boolean {
  const plans = hosts.flatMap((one) => (one.kind === 'done' ? [one.value.plan] : []));
  const servers = plans.some(({ credentials }) => credentials !== undefined && 'issue' in credentials.certificate);
  return servers || wanted.credentials.some(signs);
}

/**
 * The store's signer settings for this run. Undefined if nothing is signed, a key of the store signs, or this run's own files name the
 * signer.
 */
export function signerOfStore(hosts: Planned['hosts'], base: Base, { signer }: Run): Signer | undefined {
  const { credentials } = base.wanted;
  const fresh = credentials.some(({ kind }) => kind === 'create-ca' || kind === 'replace-ca');
  const ca = caAfter(base.state.ca, credentials);
  if (!willSign(hosts, base) || fresh || ca === undefined || ca.keyPem !== undefined) return undefined;
  const { external, token } = ca.record;
  const named = external === undefined ? signer?.token : signer?.external;
  return named === undefined ? { external, token } : undefined;
}

/** The part of the plan about the signer: its settings, and whether they still need approval. */
export async function shownSigner(
  signer: Signer | undefined,
  { store }: Run,
): Promise<Pick<Planned, 'signer' | 'unapproved'>> {
  const settings = signer && storeSettings(signer);
  if (settings === undefined) return {};
  return { signer: settings, unapproved: !(await store.accepts(settings.id)) };
}
