/** The settings of a store by which a plan has something signed on this computer. */

import type { Signer } from '../../domain/external-ca.ts';
import { storeSettings } from '../../domain/store-settings.ts';
import { caAfter, signs } from '../../domain/trust/changes.ts';
import type { Base, Planned, Run } from '../intent.ts';

/** Whether something will be signed, as far as it was planned. */
export function willSign(hosts: Planned['hosts'], { wanted }: Pick<Base, 'wanted'>): boolean {
  const plans = hosts.flatMap((one) => (one.kind === 'done' ? [one.value.plan] : []));
  const servers = plans.some(({ credentials }) => credentials !== undefined && 'issue' in credentials.certificate);
  return servers || wanted.credentials.some(signs);
}

/** Undefined where nothing is signed, or by a key of this store, or as this run's own files say. */
export function signerOfStore(hosts: Planned['hosts'], base: Base, { signer }: Run): Signer | undefined {
  const { credentials } = base.wanted;
  const fresh = credentials.some(({ kind }) => kind === 'create-ca' || kind === 'replace-ca');
  const ca = caAfter(base.state.ca, credentials);
  if (!willSign(hosts, base) || fresh || ca === undefined || ca.keyPem !== undefined) return undefined;
  const { external, token } = ca.record;
  const named = external === undefined ? signer?.token : signer?.external;
  return named === undefined ? { external, token } : undefined;
}

/** What a plan shows of it. */
export async function shownSigner(
  signer: Signer | undefined,
  { store }: Run,
): Promise<Pick<Planned, 'signer' | 'unapproved'>> {
  const settings = signer && storeSettings(signer);
  if (settings === undefined) return {};
  return { signer: settings, unapproved: !(await store.accepts(settings.id)) };
}
