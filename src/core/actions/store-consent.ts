/** Consent to what a shared store, and not this user, makes this machine do (seams/stores.ts). A directory needs none. */

import { externalCaWords } from '../domain/external-ca.ts';
import { credentialUnnamed } from '../domain/trust/ca-refusals.ts';
import type { Run } from '../engine/intent.ts';
import type { Connect } from '../runtime.ts';
import { SHARED_STORE, type StoreConsent } from '../seams/stores.ts';
import type { ActionContext } from './action-context.ts';
import { storeOf } from './open-store.ts';

/** Undefined for a store in a directory: its settings are those of this user. */
export async function consentTo(context: ActionContext): Promise<StoreConsent | undefined> {
  return storeOf(context).shared ? SHARED_STORE.all[0]?.consent(context) : undefined;
}

/** Connections of a run, each after the consent to its way. */
export async function approvedWays(context: ActionContext): Promise<Connect> {
  return (await consentTo(context))?.connect ?? context.runtime.connect;
}

/** Consent to a signer that is used now. Fails with E_SECRET_FILE (exit 2), before it asks, if its credential is not named here. */
export function approvingUse(context: ActionContext): Run['approve'] {
  let consent: Promise<StoreConsent | undefined> | undefined;
  return async (signer) => {
    const { external } = signer;
    if (external !== undefined && external.kind !== 'command' && external.credentialFile === undefined)
      throw credentialUnnamed(externalCaWords(external));
    consent ??= consentTo(context);
    await (await consent)?.signer(signer);
  };
}
