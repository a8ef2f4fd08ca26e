/** Signer settings of the store that a plan uses on this machine: shown with the plan, then approved. */

import type { CaSigner } from '../../domain/external-ca.ts';
import { storeSettings } from '../../domain/store-settings.ts';
import { caAfter, signs } from '../../domain/trust/changes.ts';
import { canVouch } from '../../domain/trust/server.ts';
import { loadIssuers } from '../../seams/issuers.ts';
import type { Base, ChangeContext, Planned } from '../intent.ts';

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
function signerOfStore({ hosts, wanted, state, run: { signer } }: ChangeContext): CaSigner | undefined {
  const { credentials } = wanted;
  const fresh = credentials.some(({ kind }) => kind === 'create-ca' || kind === 'replace-ca');
  const ca = caAfter(state.ca, credentials);
  if (!willSign(hosts, { wanted }) || fresh || ca === undefined || ca.keyPem !== undefined) return undefined;
  const { external, token } = ca.record;
  const named = external === undefined ? signer?.token : signer?.external;
  return named === undefined && (external ?? token) !== undefined ? { external, token } : undefined;
}

/** Whether an earlier CA, whose key is in a token, signs the new one for clients that know only the earlier one. */
function tokenVouches({ hosts, wanted, state }: ChangeContext): boolean {
  const replaced = wanted.credentials.some(({ kind }) => kind === 'replace-ca') ? [state.ca] : [];
  const old = [...replaced, ...state.oldCas].flatMap((one) => one ?? []);
  return willSign(hosts, { wanted }) && old.some((one) => one.keyPem === undefined && canVouch(one));
}

/**
 * Adds the settings to the plan, and whether they still need approval. Fails with E_CA_KEY_EXTERNAL (exit 2) if this build cannot ask the
 * signer.
 */
export async function showSigner(context: ChangeContext): Promise<void> {
  context.storeSigner = signerOfStore(context);
  if (context.storeSigner !== undefined || tokenVouches(context)) await loadIssuers();
  context.signer = context.storeSigner && storeSettings(context.storeSigner);
  if (context.signer !== undefined) context.unapproved = !(await context.run.store.accepts(context.signer.id));
}

/** Fails with E_STORE_SETTINGS, E_DECLINED unless this machine accepts them. */
export async function approveSigner({ storeSigner, run }: ChangeContext): Promise<void> {
  if (storeSigner !== undefined) await run.approve(storeSigner);
}
