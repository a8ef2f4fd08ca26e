/**
 * Clients unknown to this store that would lose access to a host: those of a CA that the host accepts now and whose clients other stores
 * issued. Computed from existing certificates; signs nothing.
 */

import { DockerTlsError } from '../../../errors/errors.ts';
import type { StoreState } from '../../adapters/store/records.ts';
import { offeredCommands } from '../../seams/offered-commands.ts';
import { orIn } from '../../seams/setting-places.ts';
import { inspectCertificate, isUnder, splitBundle } from '../pki/inspect.ts';
import { listWords } from '../words.ts';
import type { TrustNow } from './trust-now.ts';

/** A CA as shown to the user. */
type NamedCa = { readonly subject: string; readonly fingerprint: string };

/** PEM of `--accept-ca` for a host. `requested` is PEM, `existing` or `none`; undefined keeps the `known` value. */
export function acceptedCa(
  requested: string | undefined,
  known: string | undefined,
  now: TrustNow | undefined,
): string | undefined {
  if (requested === undefined) return known;
  if (requested === 'none') return undefined;
  if (requested !== 'existing') return requested;
  return known ?? (now === undefined || now.ours || now.trust === '' ? undefined : now.trust);
}

export type OtherClients = {
  /** CAs accepted now but not after the change; this store does not know all of their clients. */
  readonly losing: readonly NamedCa[];
  /** Path of the host's own CA file, if it was unreadable. */
  readonly unread: string | undefined;
  /** Needs explicit consent (--reject-other-clients). */
  readonly needsYes: boolean;
};

type Known = Pick<StoreState, 'ca' | 'oldCas' | 'issuers'> & {
  /** The store's trust file of this host, and its additionally accepted CAs. */
  readonly host?: { readonly ca: string; readonly record: { readonly acceptCa?: string } };
};

/** Clients that lose access when the trust file becomes `next` (PEM). A CA that expired before `at` has no clients to lose. */
export function otherClients(now: TrustNow | undefined, next: string, known: Known, at: Date): OtherClients {
  if (now === undefined) return { losing: [], unread: undefined, needsYes: false };
  const cas = [...(known.ca === undefined ? [] : [known.ca]), ...known.oldCas];
  // Imported CAs certainly have clients from other stores.
  const imported = prints(cas.filter(({ record }) => record?.imported).map(({ cert }) => cert));
  const ours = prints([
    ...cas.map(({ cert }) => cert),
    ...[...known.issuers.values()].map(({ cert }) => cert),
    known.host?.ca ?? '',
    known.host?.record.acceptCa ?? '',
  ]);
  const stays = prints([next]);
  const lost = splitBundle(now.trust)
    .map((pem) => ({ pem, ...inspectCertificate(pem) }))
    .filter(({ fingerprint }) => !stays.has(fingerprint) && (imported.has(fingerprint) || !ours.has(fingerprint)))
    .filter(({ pem, notAfter }) => notAfter > at && !isUnder(pem, next));
  const unread = !now.ours && now.trust === '' ? now.path : undefined;
  return {
    losing: lost.map(({ subject, fingerprint }) => ({ subject, fingerprint })),
    unread,
    // A CA added to our trust file by hand is drift, and every change corrects it.
    needsYes: unread !== undefined || lost.some(({ fingerprint }) => !now.ours || imported.has(fingerprint)),
  };
}

/** Notes for the plan; empty if no client loses access. */
export function otherClientsNotes({ losing, unread }: OtherClients): string[] {
  return [
    ...(losing.length === 0
      ? []
      : [`every client of ${caWords(losing)} that is not in this store is accepted now and will be rejected`]),
    ...(unread === undefined
      ? []
      : [`${unread} names the CA that the daemon accepts now, and could not be read: its clients will be rejected`]),
  ];
}

/** Warns that clients of accepted CAs lack our CA, the issuer of the host's new certificate. */
export function acceptedNotes(
  accepted: string | undefined,
  now: TrustNow | undefined,
  requested?: string | undefined,
): string[] {
  if (requested === 'existing' && accepted === undefined && now?.ours)
    return [
      'accept-ca: existing has no effect: the host has the trust file of docker-tls by now. To accept clients of another CA, name its certificate: accept-ca: FILE',
    ];
  if (accepted === undefined || now === undefined || now.ours) return [];
  return [
    `clients of ${caWords(named(accepted))} stay accepted; their ca.pem needs our CA as well, which the host's new certificate is from: docker-tls ca export`,
  ];
}

/** Exit 4: the change would lock out clients that were not named. */
export function otherClientsLose(
  host: string,
  { losing, unread }: OtherClients,
  now: 'ours' | 'theirs',
): DockerTlsError {
  const hints = {
    // Our own trust file: a client list replaces an imported CA.
    ours: [
      'to keep the CA as a whole: leave the list of clients out; this client then ends with its certificate (docs/ca.md)',
    ],
    theirs: [
      `keep accepting them: --accept-ca existing${orIn('accept-ca: existing')}`,
      ...offeredCommands('own-ca', '--cert FILE --key FILE').map(
        (one) => `or have this store issue from that CA, before the first host: ${one}`,
      ),
    ],
  }[now];
  return new DockerTlsError(
    'E_OTHER_CLIENTS',
    losing.length === 0
      ? `${unread} names the CA that the daemon accepts now, and could not be read: clients with a certificate of it would be rejected`
      : `clients of ${caWords(losing)} are accepted now and would be rejected; those that are not in this store cannot be listed here`,
    {
      where: host,
      hints: [...hints, 'stop accepting them: --reject-other-clients'],
      details: losing.map(({ subject, fingerprint }) => `${subject} SHA256 ${fingerprint}`),
    },
  );
}

/** `the CA "Example" (SHA256 AB:CD:…)` */
function caWords(cas: readonly NamedCa[]): string {
  const words = cas.map(({ subject, fingerprint }) => `"${subject}" (SHA256 ${fingerprint.slice(0, 23)}…)`);
  return `the ${cas.length === 1 ? 'CA' : 'CAs'} ${listWords(words, 4)}`;
}

function named(pem: string): NamedCa[] {
  return splitBundle(pem).map(inspectCertificate);
}

function prints(bundles: readonly string[]): Set<string> {
  return new Set(named(bundles.join('')).map(({ fingerprint }) => fingerprint));
}
