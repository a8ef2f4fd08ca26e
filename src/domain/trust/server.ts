/** Owns which certificate a host is to have: the one that the store has as long as it fits, else a request for one. Signs nothing. */

import type { StoredHost, StoredOldCa, StoreState } from '../../adapters/store/records.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { inspectCertificate, splitBundle } from '../pki/inspect.ts';
import type { San } from '../pki/names.ts';
import type { DesiredCredentials } from '../plan/desired.ts';
import type { HostSpec } from '../settings.ts';
import { certificateIds } from './ca-id.ts';
import { caBreaksClients, externalCaKey } from './ca-refusals.ts';
import { isFrom, reasonToIssue } from './trust.ts';
import { type AccessView, bundleOf, trustedIds, trustFor } from './view.ts';

export type ServerInput = {
  readonly spec: HostSpec;
  readonly names: readonly San[];
  readonly view: AccessView;
  readonly state: StoreState;
  /** The certificate that the store has is in use on the host, with its key. */
  readonly onHost: boolean;
  /** Issue whatever the certificate is; the words say why. */
  readonly force?: string | undefined;
  /** A new certificate may break clients that know only an older CA. */
  readonly noOverlap?: boolean | undefined;
  readonly now: Date;
};

/**
 * The credentials of a host. Fails as `trustFor`, with E_BREAKS_CLIENTS (exit 3) where a new certificate breaks clients, and with
 * E_CA_KEY_EXTERNAL, E_SIGN_COMMAND (exit 2) where none can be issued.
 */
export function desiredCredentials(input: ServerInput): DesiredCredentials {
  const { spec, names, view, state, onHost } = input;
  const trust = trustFor(spec, view);
  const known = state.hosts.get(spec.name);
  const reason = reasonFor(input, known);
  if (reason === undefined && known !== undefined) {
    const keep = certificateIds(keptChain(known.serverCert, view, state));
    return { trust, certificate: { keep }, key: known.serverKey !== undefined && !onHost ? 'send' : 'keep' };
  }
  const oldCas =
    typeof view.ca !== 'string' && state.ca ? [{ ...state.ca, serial: '' }, ...state.oldCas] : state.oldCas;
  if (known !== undefined && !input.noOverlap && breaksClients(known.serverCert, oldCas, input.now))
    throw caBreaksClients([spec.name]);
  if (view.issuing === 'external') throw externalCaKey();
  if (view.issuing !== 'here' && spec.keys === 'host') throw requestNeedsKey(spec.name);
  const { keyType, days } = spec;
  return {
    trust,
    certificate: { issue: { names, keyType, days, reason: reason ?? 'it has none yet' } },
    key: spec.keys === 'host' ? 'host' : 'send',
  };
}

/** Why a certificate is issued; undefined: the one in the store stays. A key that is only on the host cannot be sent again. */
function reasonFor(input: ServerInput, known: StoredHost | undefined): string | undefined {
  const { spec, names, view, state, onHost, now } = input;
  if (input.force !== undefined) return input.force;
  const keyOnHost = known !== undefined && known.serverKey === undefined;
  if (spec.keys === 'host' && !(onHost && keyOnHost)) return 'the host makes its key';
  if (keyOnHost && !onHost) return 'its key is gone';
  const cas = bundleOf(
    trustedIds(view).filter((id) => typeof id === 'string'),
    state,
  );
  return reasonToIssue(known?.serverCert, spec, names, { cas, now, days: known?.record.days });
}

/** A stored certificate with its chain. Once no older CA is trusted, the cross-signed certificate is dead weight: the leaf goes on alone. */
export function keptChain(cert: string, view: Pick<AccessView, 'oldCas'>, { ca }: Pick<StoreState, 'ca'>): string {
  if (view.oldCas.length > 0 || ca === undefined) return cert;
  const [leaf = '', ...chain] = splitBundle(cert);
  const own = inspectCertificate(ca.cert);
  return leaf + chain.filter((pem) => inspectCertificate(pem).ski !== own.ski).join('');
}

/** Whether an older CA can sign the one in use. */
export function canVouch({ cert, keyPem, record }: Pick<StoredOldCa, 'cert' | 'keyPem' | 'record'>): boolean {
  return (keyPem !== undefined || record?.token !== undefined) && inspectCertificate(cert).pathLen !== 0;
}

/** Whether clients that know only an older CA no longer trust a host that gets a certificate of the CA in use in place of this one. */
export function breaksClients(serverCert: string, oldCas: StoreState['oldCas'], now: Date): boolean {
  return oldCas.some((old) => !canVouch(old) && isFrom(serverCert, old.cert, 'server', now));
}

/** E_SIGN_COMMAND, exit 4. */
export function requestNeedsKey(host: string): DockerTlsError {
  return new DockerTlsError(
    'E_SIGN_COMMAND',
    'an external CA needs a request, and that needs the key: it cannot be made on the host',
    { where: host, hints: [`docker-tls setup ${host} --keys store`] },
  );
}
