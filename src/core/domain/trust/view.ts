/** The CAs and clients that there are, or will be once a run has issued what it plans: by ids and names, without a certificate or key. */

import type { StoreState } from '../../adapters/store/records.ts';
import { isFrom, splitBundle } from '../pki/inspect.ts';
import { type CaId, certificateIds } from './ca-id.ts';

export type Issuing =
  /** The CA signs CAs and leaves here. */
  | 'here'
  /** An external CA signs, on request: the certificates of hosts and of clients' issuing CAs, which sign here. */
  | 'signer'
  /** An external CA signs leaf certificates only: clients have no issuing CA. */
  | 'leaf-only'
  /** Its key is not in the store. */
  | 'external';

/** `pem`: those that there are. */
export type Issuers = { readonly ids: readonly CaId[]; readonly current: boolean; readonly pem: string };

/** What is known of a client when a trust file is made. */
export type TrustedClient = { readonly name: string; readonly hosts?: readonly string[]; readonly revokedAt?: string };

export type AccessView = {
  /** The CA that issues; undefined where there is none yet. */
  readonly ca: CaId | undefined;
  /** CAs that issued before and are still trusted. */
  readonly oldCas: readonly CaId[];
  /** Each client's issuing CAs, the one in use first. `current`: that one is of the CA that issues, and its key is here. */
  readonly issuers: ReadonlyMap<string, Issuers>;
  /** Clients of this store's CA; imported ones of other CAs do not count. */
  readonly clients: ReadonlyMap<string, TrustedClient>;
  readonly issuing: Issuing;
};

/** What the store has. */
export function viewOf(state: Pick<StoreState, 'ca' | 'oldCas' | 'issuers' | 'clients'>, now: Date): AccessView {
  const ca = state.ca?.cert;
  return {
    ca: ca === undefined ? undefined : certificateIds(ca)[0],
    oldCas: state.oldCas.flatMap(({ cert }) => certificateIds(cert)),
    issuers: new Map(
      [...state.issuers].map(([name, { cert, keyPem }]) => [
        name,
        {
          ids: certificateIds(cert),
          pem: cert,
          // Few runs need it, and it costs a verification.
          get current() {
            return keyPem !== undefined && ca !== undefined && isFrom(splitBundle(cert)[0] ?? '', ca, 'client', now);
          },
        },
      ]),
    ),
    clients: new Map(
      [...state.clients].flatMap(([name, { record }]) => (record.reaches === undefined ? [[name, record]] : [])),
    ),
    issuing: issuingOf(state.ca),
  };
}

/** How a CA signs. */
export function issuingOf(ca: StoreState['ca']): Issuing {
  if (ca === undefined || ca.keyPem !== undefined || ca.record.token !== undefined) return 'here';
  if (ca.record.external === undefined) return 'external';
  return ca.record.leafOnly ? 'leaf-only' : 'signer';
}

/** An external CA is asked, which may wait for a person: no other run has to wait for it. */
export function asksExternalCa({ ca }: Pick<StoreState, 'ca'>): boolean {
  return ca?.keyPem === undefined && ca?.record.external !== undefined;
}

/** Whether a client that has no issuing CA gets one. */
export function makesIssuers({ issuing }: Pick<AccessView, 'issuing'>): boolean {
  return issuing === 'here' || issuing === 'signer';
}

/** Every CA whose clients and servers are trusted. */
export function trustedIds({ ca, oldCas }: AccessView): readonly CaId[] {
  return [...(ca === undefined ? [] : [ca]), ...oldCas];
}

/** The certificates (PEM) of CAs that the store has, or that are given beside. Throws for one that is not there. */
export function bundleOf(
  ids: readonly CaId[],
  state: Pick<StoreState, 'ca' | 'oldCas' | 'issuers'>,
  beside = '',
): string {
  const known = new Map(
    [beside, ...[state.ca, ...state.oldCas, ...state.issuers.values()].map((one) => one?.cert ?? '')]
      .flatMap(splitBundle)
      .map((pem) => [certificateIds(pem)[0], pem]),
  );
  return ids
    .map((id) => {
      const pem = typeof id === 'string' ? known.get(id) : undefined;
      if (pem === undefined) throw new Error(`no certificate for the CA ${JSON.stringify(id)}`);
      return pem;
    })
    .join('');
}

/** Ids of CAs that were planned, as they are called now that they are made. */
export function resolveIds(ids: readonly CaId[], view: AccessView): readonly CaId[] {
  return ids.map((id) => {
    if (typeof id === 'string') return id;
    const client = /^client (.*)$/.exec(id.new)?.[1];
    return (client === undefined ? view.ca : view.issuers.get(client)?.ids[0]) ?? id;
  });
}
