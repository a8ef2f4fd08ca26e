/** A host's server certificate: keeps the stored one while it fits, else requests a new one; describes drift. Signs nothing. */

import { DockerTlsError } from '../../../errors/errors.ts';
import type { StoredHost, StoredOldCa, StoreState } from '../../adapters/store/records.ts';
import { permits } from '../pki/constraints.ts';
import { inspectCertificate, isFrom, splitBundle, verifyChain, worksAs } from '../pki/inspect.ts';
import { parseCertificate } from '../pki/parse.ts';
import { renewal } from '../pki/renewal.ts';
import { covers, formatSan, parseSan, type San, uniqueSans } from '../pki/san.ts';
import type { DesiredCredentials } from '../plan/desired.ts';
import type { HostSpec } from '../settings.ts';
import { dateWords, plural } from '../words.ts';
import { certificateIds } from './ca-id.ts';
import { caBreaksClients, externalCaKey } from './ca-refusals.ts';
import { type AccessView, bundleOf, trustedIds } from './view.ts';

type ServerInput = {
  readonly spec: HostSpec;
  readonly names: readonly San[];
  readonly view: AccessView;
  readonly state: StoreState;
  /** The stored certificate is active on the host, with its key. */
  readonly onHost: boolean;
  /** Reason to issue unconditionally. */
  readonly force?: string | undefined;
  /** A new certificate may break clients that trust only an older CA. */
  readonly noOverlap?: boolean | undefined;
  readonly now: Date;
};

/**
 * Desired server certificate and key of a host. Fails with E_BREAKS_CLIENTS (exit 3) if a new certificate breaks clients, and with
 * E_CA_KEY_EXTERNAL, E_SIGN_COMMAND (exit 2) if none can be issued.
 */
export function desiredServer(input: ServerInput): Omit<DesiredCredentials, 'trust'> {
  const { spec, names, view, state, onHost } = input;
  const known = state.hosts.get(spec.name);
  const reason = reasonFor(input, known);
  if (reason === undefined && known !== undefined) {
    const keep = certificateIds(keptChain(known.serverCert, view, state));
    return { certificate: { keep }, key: known.serverKey !== undefined && !onHost ? 'send' : 'keep' };
  }
  const oldCas =
    typeof view.ca !== 'string' && state.ca ? [{ ...state.ca, serial: '' }, ...state.oldCas] : state.oldCas;
  if (known !== undefined && !input.noOverlap && breaksClients(known.serverCert, oldCas, input.now))
    throw caBreaksClients([spec.name]);
  if (view.issuing === 'external') throw externalCaKey();
  if (view.issuing !== 'here' && spec.keys === 'host') throw requestNeedsKey(spec.name);
  const { keyType, days } = spec;
  return {
    certificate: { issue: { names, keyType, days, reason: reason ?? 'it has none yet' } },
    key: spec.keys === 'host' ? 'host' : 'send',
  };
}

/** Reason to issue a certificate; undefined keeps the stored one. A key that exists only on the host cannot be sent again. */
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

/** Short reason to replace a server certificate; undefined: it is valid. */
export function reasonToIssue(
  cert: string | undefined,
  spec: Pick<HostSpec, 'keyType' | 'days'>,
  sans: readonly San[],
  /** `days`: the lifetime requested when it was issued. */
  options: { readonly cas: string; readonly now: Date; readonly days?: number },
): string | undefined {
  if (cert === undefined) return 'it has none yet';
  const info = inspectCertificate(cert);
  const { state } = renewal({ ...info, now: options.now });
  if (state !== 'ok')
    return state === 'due'
      ? 'two thirds of its lifetime are over'
      : `it is ${state === 'expired' ? 'expired' : 'not yet valid'}`;
  const has = new Set(info.sans.map(formatSan));
  const missing = sans.filter((san) => !has.has(formatSan(san)));
  if (missing.length > 0) return `it lacks ${missing.map((san) => san.value).join(', ')}`;
  const wanted = new Set(sans.map(formatSan));
  const dropped = info.sans.filter((san) => !wanted.has(formatSan(san)));
  if (dropped.length > 0) return `it still has ${dropped.map((san) => san.value).join(', ')}`;
  // docker-machine makes these for swarm masters: any holder of a host's key would be a client of all hosts.
  if (worksAs('client', info)) return 'it opens hosts as a client too';
  if (info.keyType !== spec.keyType) return `its key is ${info.keyType}, not ${spec.keyType}`;
  if (options.days !== undefined && options.days !== spec.days)
    return `it was made for ${plural(options.days, 'day')}, not ${spec.days}`;
  if (!verifyChain({ leaf: cert, anchors: [options.cas], purpose: 'server', now: options.now }).ok)
    return 'it is not from a CA that is trusted now';
  return undefined;
}

/**
 * Names for a host's certificate: those of the current one, or, at first, those proposed from its facts; plus the requested ones.
 * Names that are no longer requested are dropped, unless the host itself has them. A name that `ca` may not certify is dropped,
 * or fails with E_CA_NAMES (exit 2) if it was requested or is the `address`.
 */
export function namesFor(
  requested: readonly San[],
  known: StoredHost | undefined,
  { proposed, address, ca }: { readonly proposed: readonly San[]; readonly address: string; readonly ca?: string },
): San[] {
  const had = new Set((known?.record.sans ?? []).map(formatSan));
  for (const san of proposed) had.delete(formatSan(san));
  const base = known ? inspectCertificate(known.serverCert).sans.filter((san) => !had.has(formatSan(san))) : proposed;
  const all = [...base, ...requested];
  const names = uniqueSans(covers(all, address) ? all : [parseSan(address), ...all]);
  return permittedNames(names, [address, ...requested.map(({ value }) => value)], ca);
}

/** The names that the CA may certify. A forbidden name in `wanted` fails with E_CA_NAMES (exit 2). */
export function permittedNames(names: readonly San[], wanted: readonly string[], ca: string | undefined): San[] {
  const constraints = ca === undefined ? undefined : parseCertificate(ca).extensions.nameConstraints;
  if (constraints === undefined) return [...names];
  const refused = names.filter((san) => !permits(constraints, san));
  const needed = refused.filter(({ value }) => wanted.includes(value));
  if (needed.length > 0) {
    throw new DockerTlsError(
      'E_CA_NAMES',
      `the CA may not certify ${needed.map(({ value }) => value).join(', ')} (its name constraints)`,
      { hints: ['dial the host by a name that it permits: --address NAME', 'docker-tls ca show'] },
    );
  }
  return names.filter((san) => !refused.includes(san));
}

/**
 * A certificate with its chain, as hosts send it. Without trusted older CAs, certificates of the CA itself are useless and dropped: a
 * cross-signed one, or the CA's own (some external CAs return it with each leaf).
 */
export function keptChain(
  cert: string,
  { oldCas }: { readonly oldCas: readonly unknown[] },
  { ca }: Pick<StoreState, 'ca'>,
): string {
  if (oldCas.length > 0 || ca === undefined) return cert;
  const [leaf = '', ...chain] = splitBundle(cert);
  const own = inspectCertificate(ca.cert);
  return leaf + chain.filter((pem) => inspectCertificate(pem).ski !== own.ski).join('');
}

/** Whether an older CA can sign the current one. */
export function canVouch({ cert, keyPem, record }: Pick<StoredOldCa, 'cert' | 'keyPem' | 'record'>): boolean {
  return (keyPem !== undefined || record?.token !== undefined) && inspectCertificate(cert).pathLen !== 0;
}

/** Whether a certificate of the current CA breaks clients that trust only an older CA. */
export function breaksClients(serverCert: string, oldCas: StoreState['oldCas'], now: Date): boolean {
  return oldCas.some((old) => !canVouch(old) && isFrom(serverCert, old.cert, 'server', now));
}

/** `found`: PEM of the certificate that the host serves or has (empty: none). `verb`: `serves` or `has`. Undefined: no drift. */
export function certificateDrift(found: string, stored: string, verb: 'serves' | 'has'): string | undefined {
  if (found === '') return `${verb} no certificate`;
  const [there, here] = [inspectCertificate(found), inspectCertificate(stored)];
  if (there.fingerprint === here.fingerprint) return undefined;
  return here.notBefore > there.notBefore
    ? `still ${verb} the certificate until ${dateWords(there.notAfter)}: the newer one in the store (until ${dateWords(here.notAfter)}) was signed but not applied, as by a run that was killed (docker-tls apply)`
    : `${verb} another certificate than the one in the store`;
}

/** E_SIGN_COMMAND, exit 4. */
export function requestNeedsKey(host: string): DockerTlsError {
  return new DockerTlsError(
    'E_SIGN_COMMAND',
    'an external CA needs a request, and that needs the key: it cannot be made on the host',
    { where: host, hints: [`docker-tls setup ${host} --keys store`] },
  );
}
