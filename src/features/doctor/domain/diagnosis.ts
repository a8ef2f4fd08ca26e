/** Types of `doctor`: inputs, verdicts, and the words for commands in hints. Pure. */

import type { StoreState } from '../../../core/adapters/store/records.ts';
import { dockerHost, hostAndPort } from '../../../core/domain/destination.ts';
import type { HostKind } from '../../../core/domain/plan/host-kind.ts';
import { type Login, shellQuote, sudoCommand } from '../../../core/domain/quote.ts';
import type { Holder } from '../../../core/domain/trust/new-credentials.ts';
import { type ReachableHost, reachableHosts } from '../../../core/domain/trust/reachable-hosts.ts';
import type { ProbeOutcome } from '../../../core/runtime.ts';
import type { ListenerState } from '../../../core/seams/listeners.ts';
import { offeredCommands } from '../../../core/seams/offered-commands.ts';
import type { DockerTlsError, Hint } from '../../../errors/errors.ts';

export type DiagnosisCause =
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

/** Causes that only the host's journal explains. */
const DAEMONS_FAULT: readonly DiagnosisCause[] = [
  'connection-refused',
  'timed-out',
  'unreachable',
  'daemon-not-answering',
  'reset',
  'other',
  'protocol',
];
const SSH_DECIDES: readonly DiagnosisCause[] = [
  'plain-http',
  'expired',
  'not-yet-valid',
  'client-refused',
  'unknown-authority',
];
/** Probe results of a host behind a bastion, dialled from this machine. */
const NOT_DIALLED: readonly DiagnosisCause[] = ['timed-out', 'connection-refused', 'unreachable', 'name-not-found'];

/** The cause found by the probe alone. */
export function firstCause(outcome: ProbeOutcome): DiagnosisCause {
  if (outcome.kind === 'refused') return outcome.cause;
  return outcome.status >= 500 ? 'daemon-not-answering' : 'none';
}

/** True if only a look at the host over SSH can tell more. */
export function asksHost(cause: DiagnosisCause): boolean {
  return DAEMONS_FAULT.includes(cause) || SSH_DECIDES.includes(cause);
}

/** Whether a listener that cannot serve clients explains it: for certificates it has answered itself. */
export function listenerTells(cause: DiagnosisCause): boolean {
  return DAEMONS_FAULT.includes(cause);
}

/** True if the daemon's journal explains it. A daemon that listens and is unreachable logs nothing about it. */
export function journalTells(cause: DiagnosisCause, inside: Pick<Inside, 'listens'> | undefined): boolean {
  if (cause === 'timed-out' || cause === 'unreachable') return false;
  return DAEMONS_FAULT.includes(cause) && !(cause === 'connection-refused' && inside?.listens === true);
}

/** Adds the hint for a tunnel to a host behind a bastion: it is right not to answer this machine. */
export function behindBastion<Found extends Diagnosis>(found: Found, name: string): Found {
  if (!NOT_DIALLED.includes(found.cause)) return found;
  return { ...found, hints: [...offeredCommands('tunnel', name, '-- docker version'), ...found.hints] };
}

/** If docker works, the SSH problem is the cause: status and every change need SSH. */
export function withoutSsh(found: Diagnosis, endpoint: string, { code, message, hints }: DockerTlsError): Diagnosis {
  if (found.cause !== 'none') return found;
  const what = `docker reaches ${endpoint}, but docker-tls does not get into the host by SSH: ${message} (${code})`;
  return { ...found, ...verdict('ssh', what, ...hints) };
}

/** The hints of an SSH error for a stored host. A bare flag gets its command: `doctor` as typed, or `setup`, to store it in the record. */
export function sshHints(hints: readonly Hint[], name: string, typed: string): Hint[] {
  return hints.map((hint) => {
    if (typeof hint !== 'string' || !hint.startsWith('-')) return hint;
    return `${/^--(?:ask-)?sudo/.test(hint) ? typed : `docker-tls setup ${shellQuote(name)}`} ${hint}`;
  });
}

export type Diagnosis = {
  readonly cause: DiagnosisCause;
  /** One or two sentences without a final full stop. */
  readonly message: string;
  /** Commands to paste, the most likely fix first. */
  readonly hints: readonly Hint[];
  /** A remark that is not a fault: docker uses another context now. */
  readonly note?: string;
};

export function verdict(cause: DiagnosisCause, message: string, ...hints: readonly Hint[]): Diagnosis {
  return { cause, message, hints };
}

export type Expected = Holder & {
  /** The host's name in the store, for commands; default: the address in `host`. */
  readonly name?: string;
  /** The ssh login for commands; default: by the name. */
  readonly ssh?: Login;
  /** The expected DOCKER_HOST, `tcp://…`. */
  readonly host: string;
  readonly certPath: string;
  /** Commands need --client: the user named the client, or it is not the default. */
  readonly named?: boolean;
  /**
   * The origin of the connection through ssh, for a host with the setting `reach`. Its clients use a tunnel and ignore docker's settings.
   */
  readonly via?: string;
  /** The context expected to point to the host, if any. */
  readonly context?: string;
};

/** Findings on the host over SSH. */
export type Inside = {
  readonly kind: HostKind;
  /** The output of `systemctl is-active`. */
  readonly docker: string;
  readonly tlsSocket: string;
  /** For rootless Docker: whether it runs without a login of the user (`may`: it could, if the user enabled that). */
  readonly lingers?: string;
  /** Our drop-in, which passes the port to the daemon, is missing from its unit. */
  readonly dropInGone?: boolean;
  /** The reason why the daemon does not start with its daemon.json and our drop-in. */
  readonly jsonRefused?: string | undefined;
  /** The service that accepts clients in front of the daemon, and what keeps it from that. */
  readonly listener?: ListenerState | undefined;
  /** True if something on the host listens on the port; undefined if the host could not tell. */
  readonly listens?: boolean;
  /** The managed server certificate and trust file (PEM) on the host. */
  readonly serverCert?: string;
  readonly trust?: string;
  /** Problems that would prevent a change, including the host's firewall: they are usually the cause. */
  readonly problems: readonly DockerTlsError[];
  /** The firewall's possible effect, and the commands that open the port. */
  readonly doubt?: { readonly words: string; readonly commands: readonly string[] };
};

export type DiagnosisInput = {
  /** The result of probing the expected host with the client's credentials. */
  readonly outcome: ProbeOutcome;
  readonly now: Date;
  /** The host's clock minus this machine's, if known. */
  readonly remoteClockSkewMs?: number;
  /** Names in the served certificate; default: those in the outcome's chain. */
  readonly names?: readonly string[];
  /** The client certificate of the probe, PEM. */
  readonly clientCert?: string;
  /** The host's server certificate in the store, PEM; absent for a host of another store. */
  readonly storedCert?: string;
  /** The CAs trusted by this store, including old ones of a rotation, PEM. */
  readonly cas?: string;
  /** Absent if SSH was not used. */
  readonly inside?: Inside;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The newest API version of this machine's docker command. */
  readonly cliApiVersion?: string;
  /** currentContext of Docker's config.json. */
  readonly currentContext?: string;
  readonly expected: Expected;
};

/** The name for commands, quoted. */
export function expectedName(expected: Expected): string {
  return shellQuote(expected.name ?? hostAndPort(expected.host)[0]);
}

/** The host of a docker-tls command, with --client if needed. */
export function hostAndClient(expected: Expected): string {
  return `${expectedName(expected)}${expected.named ? ` --client ${shellQuote(expected.client)}` : ''}`;
}

/** A docker-tls command about the host. */
export function ours(verb: 'doctor' | 'env' | 'verify', expected: Expected): string {
  return `docker-tls ${verb} ${hostAndClient(expected)}`;
}

/** A command to run on the host as root, over ssh. */
export function remotely(expected: Expected, ...words: readonly string[]): string {
  return sudoCommand(expectedLogin(expected), ...words);
}

/** The ssh login; without a record, by the host's name. */
export function expectedLogin(expected: Expected): Login {
  return expected.ssh ?? { destination: expected.name ?? hostAndPort(expected.host)[0] };
}

/** Name of the host that a DOCKER_HOST points to. */
export function hostAt(state: Pick<StoreState, 'hosts' | 'clients'>, dialled: string | undefined): string | undefined {
  if (!dialled) return undefined;
  const endpoint = dialled.replace(/\/+$/, '');
  const same = ({ record }: ReachableHost) => dockerHost(record.address, record.port) === endpoint;
  return [...reachableHosts(state).values()].find(same)?.record.name;
}
