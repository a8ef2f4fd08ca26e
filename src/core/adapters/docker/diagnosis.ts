/** Questions and answers of `doctor`: the types, and the words that commands in hints need. Pure. */

import type { DockerTlsError, Hint } from '../../../errors/errors.ts';
import { addressOf } from '../../domain/destination.ts';
import type { HostKind } from '../../domain/plan/host-kind.ts';
import { type Login, shellQuote, sudoCommand } from '../../domain/quote.ts';
import type { Holder } from '../../domain/trust/new-credentials.ts';
import type { ProbeOutcome } from '../../runtime.ts';

export type Cause =
  | 'none'
  | Extract<ProbeOutcome, { kind: 'refused' }>['cause']
  | 'clock-skew'
  | 'client-expired'
  | 'client-not-yet-valid'
  | 'daemon-not-answering'
  | 'denied-by-daemon'
  | 'host-overridden'
  | 'context-overridden'
  | 'tls-off'
  | 'tls-verify-alone'
  | 'cert-path'
  | 'api-version'
  | 'ssh';

/** What only the host's own journal explains. */
const DAEMONS_FAULT: readonly Cause[] = [
  'connection-refused',
  'timed-out',
  'unreachable',
  'daemon-not-answering',
  'reset',
  'other',
  'protocol',
];
const SSH_DECIDES: readonly Cause[] = ['plain-http', 'expired', 'not-yet-valid', 'client-refused', 'unknown-authority'];
/** What a bastion makes of a connection from here. */
const NOT_DIALLED: readonly Cause[] = ['timed-out', 'connection-refused', 'unreachable', 'name-not-found'];

/** The cause by the probe alone. */
export function firstCause(outcome: ProbeOutcome): Cause {
  if (outcome.kind === 'refused') return outcome.cause;
  return outcome.status >= 500 ? 'daemon-not-answering' : 'none';
}

/** Whether the host itself, over SSH, has to be seen to tell more. */
export function asksHost(cause: Cause): boolean {
  return DAEMONS_FAULT.includes(cause) || SSH_DECIDES.includes(cause);
}

/** Whether the daemon's journal explains it. What listens there and is not reached has nothing to say of it. */
export function journalTells(cause: Cause, inside: Pick<Inside, 'listens'> | undefined): boolean {
  if (cause === 'timed-out' || cause === 'unreachable') return false;
  return DAEMONS_FAULT.includes(cause) && !(cause === 'connection-refused' && inside?.listens === true);
}

/** With the tunnel that gets to a host behind a bastion: that it does not answer here is right. */
export function behindBastion<Found extends Diagnosis>(found: Found, name: string): Found {
  if (!NOT_DIALLED.includes(found.cause)) return found;
  return { ...found, hints: [`docker-tls tunnel ${name} -- docker version`, ...found.hints] };
}

/** Where docker is fine, what keeps docker-tls out is the cause: status and every change need SSH. */
export function withoutSsh(found: Diagnosis, endpoint: string, { code, message, hints }: DockerTlsError): Diagnosis {
  if (found.cause !== 'none') return found;
  const what = `docker reaches ${endpoint}, but docker-tls does not get into the host by SSH: ${message} (${code})`;
  return { ...found, ...verdict('ssh', what, ...hints) };
}

/** The hints of an error of SSH for a host of the store. A flag alone is for a command that has it: `doctor`, as typed, or `setup`, which records it. */
export function sshHints(hints: readonly Hint[], name: string, typed: string): Hint[] {
  return hints.map((hint) => {
    if (typeof hint !== 'string' || !hint.startsWith('-')) return hint;
    return `${/^--(?:ask-)?sudo/.test(hint) ? typed : `docker-tls setup ${shellQuote(name)}`} ${hint}`;
  });
}

export type Diagnosis = {
  readonly cause: Cause;
  /** One or two sentences without a full stop at the end. */
  readonly message: string;
  /** Commands to paste, the likeliest first. */
  readonly hints: readonly Hint[];
  /** What is worth knowing beside it, and no fault: docker uses another context now. */
  readonly note?: string;
};

export function verdict(cause: Cause, message: string, ...hints: readonly Hint[]): Diagnosis {
  return { cause, message, hints };
}

export type Expected = Holder & {
  /** The host's name in our store, for commands; default: the address in `host`. */
  readonly name?: string;
  /** How ssh gets there, for commands; default: by the name. */
  readonly ssh?: Login;
  /** The right DOCKER_HOST, `tcp://…`. */
  readonly host: string;
  readonly certPath: string;
  /** It was named, and is not the one that commands take by themselves. */
  readonly named?: boolean;
  /** It was asked through ssh, as its setting `reach` says: from where. Clients use a tunnel, and not what docker is set to. */
  readonly via?: string;
  /** The context that should lead there, where there is one. */
  readonly context?: string;
};

/** What SSH saw on the host. */
export type Inside = {
  readonly kind: HostKind;
  /** Words of `systemctl is-active`. */
  readonly docker: string;
  readonly tlsSocket: string;
  /** Of a user's own Docker: it runs without a login of theirs (`may`: it would, if they asked for that). */
  readonly lingers?: string;
  /** Our drop-in, which hands the port to the daemon, is not part of its unit. */
  readonly dropInGone?: boolean;
  /** Why the daemon does not start with its daemon.json and our drop-in. */
  readonly jsonRefused?: string | undefined;
  /** Whether something listens on the port there; undefined where the host could not tell. */
  readonly listens?: boolean;
  /** The server certificate and the trust file (PEM) under our care there. */
  readonly serverCert?: string;
  readonly trust?: string;
  /** What would prevent a change, its firewall included: mostly what is wrong. */
  readonly problems: readonly DockerTlsError[];
  /** What its firewall may do, and the commands that let the port through. */
  readonly doubt?: { readonly words: string; readonly commands: readonly string[] };
};

export type DiagnosisInput = {
  /** Of a probe of the expected host with the client's credentials. */
  readonly outcome: ProbeOutcome;
  readonly now: Date;
  /** The host's clock minus this computer's, where it could be asked. */
  readonly remoteClockSkewMs?: number;
  /** Names in the certificate that the host serves; default: those in the outcome's chain. */
  readonly names?: readonly string[];
  /** The client certificate that the probe used, PEM. */
  readonly clientCert?: string;
  /** The server certificate that the store has for the host, PEM; absent for a host of another store. */
  readonly storedCert?: string;
  /** The CAs that this store trusts, old ones of a rotation included, PEM. */
  readonly cas?: string;
  /** Absent where the host was not asked. */
  readonly inside?: Inside;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The newest version of the API that the docker command here speaks. */
  readonly cliApiVersion?: string;
  /** currentContext of Docker's config.json. */
  readonly currentContext?: string;
  readonly expected: Expected;
};

/** The name for commands, quoted. */
export function nameOf(expected: Expected): string {
  return shellQuote(expected.name ?? addressOf(expected.host)[0]);
}

/** A command of ours about the host, with --client where it needs that. */
export function ours(verb: 'doctor' | 'env' | 'tunnel' | 'verify', expected: Expected): string {
  return `docker-tls ${verb} ${nameOf(expected)}${expected.named ? ` --client ${shellQuote(expected.client)}` : ''}`;
}

/** Words to run on the host as root, by ssh. */
export function remotely(expected: Expected, ...words: readonly string[]): string {
  return sudoCommand(loginOf(expected), ...words);
}

/** How ssh gets there; without a record, by its name. */
export function loginOf(expected: Expected): Login {
  return expected.ssh ?? { destination: expected.name ?? addressOf(expected.host)[0] };
}
