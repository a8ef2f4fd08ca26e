/**
 * The question which clients lose a host that this store does not know by name: those of a CA that the host accepts now, and whose clients
 * were issued by other stores. Computed from certificates that exist; nothing is signed for it.
 */

import { DockerTlsError } from '../../../errors/errors.ts';
import type { StoreState } from '../../adapters/store/records.ts';
import { inspectCertificate, isUnder, splitBundle } from '../pki/inspect.ts';
import { listWords } from '../words.ts';
import type { TrustNow } from './trust-now.ts';

/** A CA as it is shown. */
export type NamedCa = { readonly subject: string; readonly fingerprint: string };

/** What of `--accept-ca` a host gets: `asked` is PEM, `existing`, `none`, or nothing, which leaves it as it is `known`. */
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
  /** CAs whose clients are accepted now and will not be, where this store does not know all of them. */
  readonly losing: readonly NamedCa[];
  /** The host's own file of them could not be read. */
  readonly unread: string | undefined;
  /** It needs a yes of its own. */
  readonly needsYes: boolean;
};

type Known = Pick<StoreState, 'ca' | 'oldCas' | 'issuers'> & {
  /** The trust file and the CAs that are accepted beside, as the store has them of this host. */
  readonly host?: { readonly ca: string; readonly record: { readonly acceptCa?: string } };
};

/** Who loses the host when its trust file becomes `next` (PEM). A CA that has expired `at` that time has no client to lose. */
export function otherClients(now: TrustNow | undefined, next: string, known: Known, at: Date): OtherClients {
  if (now === undefined) return { losing: [], unread: undefined, needsYes: false };
  const cas = [...(known.ca === undefined ? [] : [known.ca]), ...known.oldCas];
  // Of these it is certain that others have clients of theirs.
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
    // A CA that was written into our own file by hand is drift, which every change puts right.
    needsYes: unread !== undefined || lost.some(({ fingerprint }) => !now.ours || imported.has(fingerprint)),
  };
}

/** What a plan says of it; nothing where no client loses access. */
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

/** Clients of a CA that goes on being accepted know nothing of ours, which the host's new certificate comes from. */
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

/** Exit 4: a host refuses to lose clients that were not named. */
export function otherClientsLose(
  host: string,
  { losing, unread }: OtherClients,
  now: 'ours' | 'theirs',
): DockerTlsError {
  const hints = {
    // Our own trust file: the CA was imported, and a list of clients takes its place.
    ours: [
      'to keep the CA as a whole: leave the list of clients out; this client then ends with its certificate (docs/ca.md)',
    ],
    theirs: [
      'keep accepting them: docker-tls setup … --accept-ca existing, or accept-ca: existing in the fleet file',
      'or have this store issue from that CA, before the first host: docker-tls ca import --cert FILE --key FILE',
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
