/** `ca show`: the active CA, and old CAs that are still trusted. */

import type { StoredOldCa } from '../adapters/store/records.ts';
import type { CaToken, ExternalCa } from '../domain/external-ca.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import { isEncrypted } from '../domain/pki/keys.ts';
import type { Secret } from '../domain/secret.ts';
import { noCa } from '../domain/trust/ca-refusals.ts';
import type { ActionContext } from './action-context.ts';
import { storeOf } from './store.ts';

export type KeyState = 'encrypted' | 'not encrypted' | 'token' | 'external';
type Ca = ReturnType<typeof inspectCertificate> & { readonly key: KeyState };

export type CaView = Ca & {
  /** The external CA that signs. */
  readonly external: ExternalCa | undefined;
  readonly token: CaToken | undefined;
  /** It issues no intermediate CAs for clients. */
  readonly leafOnly: boolean;
  /** Number of clients' issuing CAs below it. */
  readonly clientIssuers: number;
  /** Old CAs that are still trusted. */
  readonly old: readonly Ca[];
};

/** Fails with E_NO_CA (exit 2). */
export async function viewCa(context: ActionContext): Promise<CaView> {
  const { ca, oldCas, issuers } = await storeOf(context).read();
  if (ca === undefined) throw noCa();
  const view = ({ cert, keyPem, record }: Omit<StoredOldCa, 'serial'>): Ca => {
    return { ...inspectCertificate(cert), key: record?.token === undefined ? keyState(keyPem) : 'token' };
  };
  const { external, token, leafOnly = false } = ca.record;
  return { ...view(ca), external, token, leafOnly, clientIssuers: issuers.size, old: oldCas.map(view) };
}

function keyState(key: Secret | undefined): KeyState {
  if (key === undefined) return 'external';
  return isEncrypted(key) ? 'encrypted' : 'not encrypted';
}
