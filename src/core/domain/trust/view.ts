/** Existing and planned CAs and clients, by IDs and names, without certificates or keys. */

import type { StoreState } from '../../adapters/store/records.ts';
import { isFrom, splitBundle } from '../pki/inspect.ts';
import { type CaId, certificateIds } from './ca-id.ts';

export type Issuing =
  /** This machine signs CAs and leaf certificates. */
  | 'here'
  /** An external CA signs host certificates and issuing CAs of clients on request; those issuing CAs sign on this machine. */
  | 'signer'
  /** An external CA signs leaf certificates only: clients have no issuing CA. */
  | 'leaf-only'
  /** The CA's key is not in the store. */
  | 'external';

/** `pem`: the existing ones. */
export type IssuerBundle = { readonly ids: readonly CaId[]; readonly current: boolean; readonly pem: string };

/** The role of a client that has no other: everything, as dockerd itself gives. */
export const FULL_ROLE = 'full';

/** Data of a client needed to build a trust file. */
export type TrustedClient = {
  readonly name: string;
  readonly hosts?: readonly string[];
  readonly revokedAt?: string;
  readonly role?: string | undefined;
};

export type AccessView = {
  /** The issuing CA; undefined if there is none yet. */
  readonly ca: CaId | undefined;
  /** Former issuing CAs that are still trusted. */
  readonly oldCas: readonly CaId[];
  /**
   * Each client's issuing CAs, the active one first. `current`: the active one is signed by the issuing CA, and its key is in the store.
   */
  readonly issuers: ReadonlyMap<string, IssuerBundle>;
  /** Clients of this store's CA, without imported clients of other CAs. */
  readonly clients: ReadonlyMap<string, TrustedClient>;
  readonly issuing: Issuing;
  /**
   * Whether a client that has an issuing CA may still present a certificate that one of our CAs (with `withOld` false: the active one) signed
   * itself. A CA that signs leaves only signs every client so. Any other may sign the same name for other programs, so there only the client's
   * certificate on record counts.
   */
  direct(name: string, withOld?: boolean): boolean;
};

/** View of the stored state. */
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
          // Lazy: few runs need it, and it costs a signature verification.
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
    direct(name, withOld = true) {
      const cas = [state.ca, ...(withOld ? state.oldCas : [])].flatMap((one) => one ?? []);
      if (cas.some(({ record }) => record?.leafOnly)) return true;
      const [leaf = ''] = splitBundle(state.clients.get(name)?.cert ?? '');
      return leaf !== '' && isFrom(leaf, cas.map(({ cert }) => cert).join(''), 'client', now);
    },
  };
}

/** How a CA signs. */
export function issuingOf(ca: StoreState['ca']): Issuing {
  if (ca === undefined || ca.keyPem !== undefined || ca.record.token !== undefined) return 'here';
  if (ca.record.external === undefined) return 'external';
  return ca.record.leafOnly ? 'leaf-only' : 'signer';
}

/** Whether signing asks an external CA. It may wait for human approval, so other runs must not wait for it. */
export function asksExternalCa({ ca }: Pick<StoreState, 'ca'>): boolean {
  return ca?.keyPem === undefined && ca?.record.external !== undefined;
}

/** Whether a client without an issuing CA gets one. */
export function makesIssuers({ issuing }: Pick<AccessView, 'issuing'>): boolean {
  return issuing === 'here' || issuing === 'signer';
}

/** Every CA whose clients and servers are trusted. */
export function trustedIds({ ca, oldCas }: AccessView): readonly CaId[] {
  return [...(ca === undefined ? [] : [ca]), ...oldCas];
}

/** PEM of the CAs with these IDs, from the store or from `beside`. Throws for a missing one. */
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

/** Replaces IDs of planned CAs by those of the CAs that were created. */
export function resolveIds(ids: readonly CaId[], view: AccessView): readonly CaId[] {
  return ids.map((id) => {
    if (typeof id === 'string') return id;
    const client = /^client (.*)$/.exec(id.new)?.[1];
    return (client === undefined ? view.ca : view.issuers.get(client)?.ids[0]) ?? id;
  });
}
