/** Errors of shared stores and their operators. */

import type { StoreMark } from '../../../core/domain/plan/host-state.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { durationWords, listWords, plural } from '../../../core/domain/words.ts';
import { asWritten, DockerTlsError, printable } from '../../../errors/errors.ts';
import { type Dated, expiryOf } from './freshness.ts';
import type { Operator } from './operators.ts';
import type { IdentityFile } from './ssh-keys.ts';

export function tampered(url: string, what: string): DockerTlsError {
  return new DockerTlsError('E_STORE_TAMPERED', `${what}; nothing of it was used`, {
    where: url,
    details: [
      'an account that can write to the store without being an operator changed it, or it was damaged on the way',
    ],
    hints: ['docker-tls store check', 'restore the last state that this computer has seen: docker-tls store restore'],
  });
}

/** The chain of signers does not have all lists that the commits name. */
export function leftOut(url: string): DockerTlsError {
  return new DockerTlsError(
    'E_STORE_TAMPERED',
    'the store continues commits of signers that it does not name, as an operator who was removed would; nothing of it was used',
    {
      where: url,
      hints: [
        'ask an operator whose computer has used the store before: docker-tls store check',
        'if it is whole there, add key=FINGERPRINT to the address, with the signers in the output of: docker-tls operator list',
        'if that is refused, too, another line was restored in place of that one: docker-tls store copy --to ANOTHER',
      ],
    },
  );
}

/** Commits that lead to the newest one are missing. */
export function incomplete(url: string): DockerTlsError {
  return tampered(url, 'the store lacks commits that its signers were named in');
}

/** The store has an earlier state than the one seen on this machine. */
export function rewound(url: string, sequence: number, what: string): DockerTlsError {
  return new DockerTlsError(
    'E_STORE_OLDER',
    `the store is older than the state that this computer has seen (commit ${sequence}): ${what}`,
    {
      where: url,
      details: [
        'it was restored from a backup, or an old state was put in its place: clients that were revoked since would be accepted again',
      ],
      hints: [
        'restore the last state that this computer has seen: docker-tls store restore',
        'to accept the older state: docker-tls store check --accept',
      ],
    },
  );
}

/** The store compared with a revision that a witness has seen: older than it, or without it in its history. */
export function witnessRefusal(
  url: string,
  witness: string,
  line: 'older' | 'forked' | 'other',
  { seen, mark }: { readonly seen: StoreMark; readonly mark: StoreMark },
): DockerTlsError {
  const what =
    line === 'older'
      ? `the store is older than what ${printable(witness)} has seen of it (commit ${seen.number}): this is commit ${mark.number}`
      : line === 'forked'
        ? `the store does not continue what ${printable(witness)} has seen of it (commit ${seen.number}): that is not in the history of commit ${mark.number}`
        : `${printable(witness)} has seen another store than this one`;
  return new DockerTlsError('E_STORE_OLDER', what, {
    where: url,
    details: [
      line === 'other'
        ? `${printable(witness)} has seen the store ${seen.id}, and this one is ${mark.id}`
        : `${printable(witness)} has seen ${seen.hash}, and the store is at ${mark.hash}`,
      'the store was restored from a backup, or its server shows an old state or another one: a client that was revoked since may be accepted again',
    ],
    hints: [
      asWritten('on the computer that used the store last: docker-tls store check'),
      asWritten('if that one refuses the store too: docker-tls store restore'),
    ],
  });
}

/** Nobody has confirmed the newest state for longer than it says; `cause`: it is a copy, because the server could not be reached. */
export function expired(url: string, last: CommitWords & Dated, now: Date, cause?: DockerTlsError): DockerTlsError {
  const what = `the newest state of the store was current until ${expiryOf(last)?.toISOString()}`;
  return new DockerTlsError('E_STORE_EXPIRED', `${what}; nothing of it was used`, {
    where: url,
    cause,
    details: [
      `its last commit: ${commitWords(last)}, current for ${plural(last.validDays ?? 0, 'day')}; the clock of this computer says ${now.toISOString()}`,
      cause === undefined
        ? 'nobody has changed or refreshed the store since, or its server hides newer commits: a client that they revoked may be accepted again'
        : `this is the last copy: ${cause.message}`,
    ],
    hints: [
      ...(cause?.hints ?? []),
      'docker-tls store check --witness hosts',
      'if that commit is the last one that your team knows of: docker-tls store refresh',
    ],
  });
}

/** The newest commit is of a day or more after now. */
export function clockBehind(url: string, last: CommitWords, now: Date): DockerTlsError {
  return new DockerTlsError(
    'E_CLOCK',
    `the clock of this computer says ${now.toISOString()}, and the store's last commit is later (${commitWords(last)}): one of the two is wrong, and a commit with a wrong date expires early`,
    {
      where: url,
      hints: ['timedatectl set-ntp true', 'if the clock of this computer is right: docker-tls store refresh'],
    },
  );
}

export type CommitWords = { readonly sequence: number; readonly at?: string; readonly by?: string };
type Lines = { readonly there: CommitWords; readonly here: CommitWords; readonly comparison: string | undefined };

/** A state that does not descend from the one seen on this machine. Only users can decide which one counts, so the hints change neither. */
export function forked(url: string, what: string, { there, here, comparison }: Lines): DockerTlsError {
  return new DockerTlsError(
    'E_STORE_OLDER',
    `the store does not continue the state that this computer has seen (commit ${here.sequence}): ${what}`,
    {
      where: url,
      details: [
        `in the store: ${commitWords(there)}`,
        `seen here: ${commitWords(here)}`,
        'the store was restored from a backup and used since, or its server shows operators different states: a client that is revoked in one of them may be accepted in the other',
      ],
      hints: compareHints(comparison),
    },
  );
}

/** The store has changes by operators that would be lost. */
export function unseen(url: string, there: readonly CommitWords[], comparison: string | undefined): DockerTlsError {
  return new DockerTlsError(
    'E_STORE_OLDER',
    'the store has changes that this computer has not seen; putting back what it has seen would undo them, and a client that they revoked would be accepted again',
    { where: url, details: there.map((one) => `in the store: ${commitWords(one)}`), hints: compareHints(comparison) },
  );
}

/** The commits are too many to inspect, and may include operators' changes. */
export function tooManyCommits(url: string, comparison: string | undefined): DockerTlsError {
  return new DockerTlsError(
    'E_STORE_OLDER',
    'more commits follow the state that this computer has seen than docker-tls reads; restoring that state would undo changes of operators among them',
    { where: url, hints: compareHints(comparison) },
  );
}

function compareHints(comparison: string | undefined): string[] {
  return [
    ...(comparison === undefined ? [] : [comparison]),
    'ask who made these commits before anybody changes the store; then see docs/team.md, "Two lines of commits"',
  ];
}

export function commitWords({ sequence, at, by }: CommitWords): string {
  return [`commit ${sequence}`, ...(by === undefined ? [] : [`by ${by}`]), ...(at === undefined ? [] : [at])].join(
    ', ',
  );
}

export function closed(url: string, identities: readonly IdentityFile[]): DockerTlsError {
  const tried = identities.map(({ file }) => file);
  const own = identities.flatMap((one) => (one.kind === 'ssh' ? [one.recipient] : []))[0];
  return new DockerTlsError(
    'E_STORE_CLOSED',
    tried.length === 0
      ? 'there is no key on this computer that could open the store'
      : `no key of yours opens the store (tried ${listWords(tried)})`,
    {
      where: url,
      details: [
        'a key that only an agent, a smart card or a security key holds cannot decrypt: it has to be in a file',
      ],
      hints: [
        ...(tried.length === 0 ? ['ssh-keygen -t ed25519', 'or with age: export DOCKER_TLS_IDENTITY=FILE'] : []),
        `a colleague who can open it: docker-tls operator add NAME ${own === undefined ? '"$(cat ~/.ssh/id_ed25519.pub)"' : shellQuote(own)}`,
      ],
    },
  );
}

export function readOnly(url: string, operators: readonly Operator[]): DockerTlsError {
  const able = operators.filter(({ ca }) => ca).map(({ name }) => name);
  return new DockerTlsError(
    'E_STORE_READ_ONLY',
    `your key opens the store but not its CA, so you can look, and not change it; ${listWords(able)} can`,
    { where: url, hints: ['docker-tls operator list'] },
  );
}

/** The CA opens, and the key that signs for this operator is neither in a file nor in an agent of this computer. */
export function cannotSign(url: string, operators: readonly Operator[]): DockerTlsError {
  const keys = operators.flatMap(({ name, signingKey }) =>
    signingKey === undefined ? [] : [`${name}: ${signingKey}`],
  );
  return new DockerTlsError('E_STORE_READ_ONLY', 'your key opens the store, and no key here signs for you', {
    where: url,
    details: keys.map((one) => `signs for ${one}`),
    hints: ['ssh-add -L', 'a key of a security key: ssh-add -K'],
  });
}

export function fresh(url: string): DockerTlsError {
  return new DockerTlsError('E_STORE_NEW', 'the store is empty, and has no operator yet', {
    where: url,
    hints: ['with your SSH key: docker-tls operator add NAME'],
  });
}

export function ageWords(then: Date, now: Date): string {
  return `${durationWords(Math.max(0, now.getTime() - then.getTime()))} ago`;
}
