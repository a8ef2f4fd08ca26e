/** Causes of a TLS port that does not answer, for `doctor`: no listener, a firewall, or a stopped daemon. Pure. */

import { isIP } from 'node:net';
import { hostAndPort } from '../../../core/domain/destination.ts';
import { type Login, shellQuote, sshCommand } from '../../../core/domain/quote.ts';
import { owners } from '../../../core/domain/trust/new-credentials.ts';
import type { ProbeOutcome } from '../../../core/runtime.ts';
import type { DockerTlsError, Hint } from '../../../errors/errors.ts';
import {
  type Diagnosis,
  type DiagnosisInput,
  type Expected,
  expectedLogin,
  expectedName,
  type Inside,
  ours,
  remotely,
  verdict,
} from './diagnosis.ts';

type Refused = Extract<ProbeOutcome, { kind: 'refused' }>;

const SILENT: readonly string[] = ['connection-refused', 'timed-out', 'reset'];

/** Rootless Docker ends with the user's last login, unless they linger. The inspection over SSH was a login, so it runs during it. */
export function loggedOut(
  { expected, inside }: DiagnosisInput,
  { cause, stage }: Refused,
  address: string,
  port: string,
): Diagnosis | undefined {
  const lingers = inside?.lingers ?? 'yes';
  if (
    lingers === 'yes' ||
    !SILENT.includes(cause) ||
    stage === 'handshake' ||
    inside?.problems.some(({ code }) => code === 'E_FIREWALL')
  )
    return undefined;
  const login = expectedLogin(expected);
  const user = login.user ?? 'the user';
  return verdict(
    cause,
    `port ${port} of ${address} does not answer while ${user} is logged out: ${user} does not linger, so their Docker ends with their last login`,
    lingers === 'may' ? sshCommand(login, 'loginctl', 'enable-linger') : asRoot(login),
  );
}

function asRoot({ user = 'USER' }: Login): string {
  return `as root on the host: loginctl enable-linger ${shellQuote(user)}`;
}

export function nothingListens(
  { expected, inside }: DiagnosisInput,
  address: string,
  port: string,
  name: string,
): Diagnosis {
  const say = (message: string, ...hints: readonly Hint[]) => verdict('connection-refused', message, ...hints);
  const begins = `nothing listens on port ${port} of ${address}`;
  const login = expectedLogin(expected);
  if (inside === undefined && login.rootless)
    return say(
      `${begins}: ${login.user ?? 'its user'} is logged out and does not linger, their daemon is stopped, or the port is another one`,
      `if ${login.user ?? 'its user'} is logged out, ${asRoot(login)}`,
      remotely(expected, 'systemctl', '--user', 'status', 'docker', 'docker-tls.socket'),
    );
  if (inside === undefined)
    return say(
      `${begins}: the daemon or its socket is stopped, or the port is another one`,
      remotely(expected, 'systemctl', 'status', 'docker', 'docker-tls.socket'),
      owners(expected, `docker-tls apply ${name}`),
    );
  const wall = inside.problems.find(({ code }) => code === 'E_FIREWALL');
  if (inside.listens && wall !== undefined) return say(wall.message, ...wall.hints);
  const doubt = inside.doubt && `the host's own firewall may reject it (${inside.doubt.words}), `;
  if (inside.listens)
    return say(
      `port ${port} of ${address} is open on the host, but the connection was refused: ${doubt ?? ''}a firewall in between may, or the address leads to another host`,
      ...(inside.doubt?.commands ?? []),
      remotely(expected, 'hostname', '-I'),
      `getent hosts ${shellQuote(address)}`,
    );
  const stopped = notRunning(expected, inside);
  if (stopped !== undefined) return say(`${begins}: ${stopped.message}`, ...stopped.hints);
  if (inside.dropInGone) return say(`${begins}: ${unhanded(inside)}`, owners(expected, `docker-tls apply ${name}`));
  const [problem] = inside.problems.filter(keepsItDown);
  return say(
    `${begins}: ${inside.kind.engine.program} runs there, but not on that port${inside.kind.asks ? '' : ` (${inside.kind.sockets.tls} is ${inside.tlsSocket})`}`,
    ...(problem?.hints ?? []),
    owners(expected, `docker-tls apply ${name}`),
  );
}

function keepsItDown({ code }: DockerTlsError): boolean {
  return code !== 'E_FIREWALL' && code !== 'E_CLOCK';
}

function unhanded({ kind }: Inside): string {
  return `the drop-in of docker-tls is gone from ${kind.service}, so systemd does not hand the port to ${kind.engine.program}`;
}

/** The reason why dockerd does not run, as setup sees it, and the fix. */
export function notRunning(expected: Expected, inside: Inside): Pick<Diagnosis, 'message' | 'hints'> | undefined {
  const { docker, problems, kind } = inside;
  if (docker === 'active') return undefined;
  const [problem] = problems.filter(keepsItDown);
  if (problem === undefined && inside.jsonRefused !== undefined)
    return {
      message: `${kind.engine.program} is not running there (${kind.service} is ${docker}): ${inside.jsonRefused}`,
      hints: [owners(expected, `docker-tls apply ${expectedName(expected)}`)],
    };
  const why = problem === undefined ? '' : `: ${problem.message}`;
  return {
    message: `${kind.engine.program} is not running there (${kind.service} is ${docker}${docker === 'failed' ? ': it failed again and again, so systemd no longer starts it' : ''})${why}`,
    hints: [
      // If setup finds no problem, only the daemon's journal has the cause.
      ...(problem?.hints ?? (docker === 'inactive' ? [] : [journal(expected, inside)])),
      ...kind.bringUp.map((words) => remotely(expected, ...words)),
    ],
  };
}

export function timedOut(
  { expected, inside }: DiagnosisInput,
  outcome: Refused,
  address: string,
  port: string,
): Diagnosis {
  if (outcome.stage === 'handshake' || outcome.stage === 'answer') {
    // systemd accepts the connections while its socket exists.
    const stopped = inside === undefined ? undefined : notRunning(expected, inside);
    if (stopped !== undefined) return { cause: 'daemon-not-answering', ...stopped };
    if (inside?.dropInGone)
      return verdict(
        'daemon-not-answering',
        `port ${port} of ${address} takes connections that nothing answers: ${unhanded(inside)}`,
        owners(expected, `docker-tls apply ${expectedName(expected)}`),
      );
    return verdict(
      'daemon-not-answering',
      `port ${port} of ${address} takes connections, but the daemon behind it does not answer: it hangs, or it is still starting`,
      ...(inside?.kind.asks ? [] : [remotely(expected, 'systemctl', 'status', inside?.kind.service ?? 'docker')]),
      journal(expected, inside),
      restartHint(expected, inside),
    );
  }
  const wall = inside?.problems.find(({ code }) => code === 'E_FIREWALL');
  const where =
    wall !== undefined
      ? wall.message
      : inside === undefined
        ? "a firewall drops the packets (the host's own, or the cloud's security group), or the host is down"
        : `a firewall on the way drops the packets, such as a cloud's security group${inside.doubt === undefined ? '' : `, or the host's own: ${inside.doubt.words}`}`;
  const through = `let TCP port ${port} through every firewall between this computer and ${address}, then: ${ours('doctor', expected)}`;
  const hints = wall?.hints ?? inside?.doubt?.commands ?? [through];
  return verdict('timed-out', `no answer at all from port ${port} of ${address}: ${where}`, ...hints);
}

/** A program other than the daemon holds the port. Only its owner can decide whether to stop it. */
export function otherProgram(
  { expected, inside }: DiagnosisInput,
  address: string,
  name: string,
): [message: string, look: Hint, then: Hint] | undefined {
  const taken = inside?.problems.find(({ code }) => code === 'E_PORT_TAKEN');
  if (taken === undefined) return undefined;
  const port = hostAndPort(expected.host)[1];
  return [
    `another program than ${inside?.kind.engine.program} answers on ${address}: ${taken.message}`,
    remotely(expected, 'ss', '-ltnp', `sport = :${port}`),
    owners(expected, `docker-tls apply ${name}`),
  ];
}

/** The address that ssh uses, if it is an IP address, is the likely alternative. */
export function unknownNameDiagnosis(expected: Expected, { reason }: Refused, address: string): Diagnosis {
  const { destination } = expectedLogin(expected);
  const other = isIP(destination) === 0 ? [] : [destination];
  return verdict(
    'name-not-found',
    `the name ${address} is not known here (${reason}): put it into DNS or into /etc/hosts`,
    `getent hosts ${shellQuote(address)}`,
    ...other.map((ip) => owners(expected, `docker-tls setup ${expectedName(expected)} --address ${shellQuote(ip)}`)),
  );
}

/** A firewall that rejects like a router (REJECT of firewalld) looks like a missing route. */
export function unreachableDiagnosis(
  { inside }: DiagnosisInput,
  { reason }: Refused,
  address: string,
  port: string,
): Diagnosis {
  const wall = inside?.problems.find(({ code }) => code === 'E_FIREWALL');
  const commands = wall?.hints ?? inside?.doubt?.commands;
  if (commands === undefined)
    return verdict(
      'unreachable',
      `there is no way from this computer to ${address}: ${reason}`,
      `ping -c 1 ${shellQuote(address)}`,
      `ip route get ${shellQuote(address)}`,
    );
  const why = wall?.message ?? `the host's own firewall may reject it (${inside?.doubt?.words})`;
  const message = `no connection gets to port ${port} of ${address}, though SSH gets to the host: ${why}`;
  return verdict('unreachable', message, ...commands);
}

/** The daemon's last log lines; without facts of the host, assumes systemd. */
export function journal(expected: Expected, inside: Inside | undefined): string {
  return remotely(expected, ...(inside?.kind.commands.log ?? ['journalctl', '-u', 'docker', '-n', '50', '--no-pager']));
}

export function restartHint(expected: Expected, inside: Inside | undefined): string {
  return remotely(expected, ...(inside?.kind.commands.restart ?? ['systemctl', 'restart', 'docker']));
}
