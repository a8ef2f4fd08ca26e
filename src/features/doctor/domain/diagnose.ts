/**
 * The verdict of `doctor`: ONE cause and the command that fixes it, from the probe, the environment and the expected state. Pure. The probe
 * counts first; only if the host answers well are this machine's own settings checked.
 */

import { hostAndPort } from '../../../core/domain/destination.ts';
import { fieldsOf, parseJson } from '../../../core/domain/json.ts';
import { verifyChain } from '../../../core/domain/pki/inspect.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { newCredentials, owners } from '../../../core/domain/trust/new-credentials.ts';
import { certificateDrift } from '../../../core/domain/trust/server.ts';
import type { ProbeOutcome } from '../../../core/runtime.ts';
import { offeredCommands } from '../../../core/seams/offered-commands.ts';
import { type Hint, printable } from '../../../errors/errors.ts';
import { apiVersionFault, otherContext, settingsFault } from './client-settings.ts';
import { clientFault, clockFault, duration, infos, timeOf } from './clocks.ts';
import {
  type Diagnosis,
  type DiagnosisInput,
  expectedName,
  firstCause,
  hostAndClient,
  listenerTells,
  ours,
  remotely,
  verdict,
} from './diagnosis.ts';
import {
  journal,
  loggedOut,
  nothingListens,
  notRunning,
  otherProgram,
  restartHint,
  timedOut,
  unknownNameDiagnosis,
  unreachableDiagnosis,
} from './silence.ts';

type Accepted = Extract<ProbeOutcome, { kind: 'accepted' }>;
type Refused = Extract<ProbeOutcome, { kind: 'refused' }>;

/** Probe results that a program other than the daemon can cause. */
const ANSWERS_OF_OTHERS: readonly string[] = ['reset', 'protocol', 'plain-http', 'unknown-authority', 'other'];

/** The one cause and its fix; `none` if the host answers this client and no setting of this machine points docker to another host. */
export function diagnose(input: DiagnosisInput): Diagnosis {
  const { outcome } = input;
  const found =
    listenerFault(input) ??
    (outcome.kind === 'refused' ? diagnoseRefusal(input, outcome) : diagnoseAnswer(input, outcome));
  // These texts contain names from certificates and values of variables.
  return {
    ...found,
    message: printable(
      input.expected.via === undefined ? found.message : `${found.message}, through ${input.expected.via}`,
    ),
    hints: found.hints.map((hint) => (typeof hint === 'string' ? printable(hint) : hint)),
    note: found.note && printable(found.note),
  };
}

/** A fault of the service in front of the daemon comes before every other: clients that it does not serve see nothing else. */
function listenerFault({ outcome, inside, expected }: DiagnosisInput): Diagnosis | undefined {
  const cause = firstCause(outcome);
  if (cause === 'none' || inside?.docker !== 'active') return undefined;
  const { problems = [], signs = [] } = inside.listener ?? {};
  const [problem] = listenerTells(cause) ? [...problems, ...signs] : problems;
  if (problem === undefined) return undefined;
  return verdict(cause, `${expected.host} does not serve this client: ${problem.message}`, ...problem.hints);
}

function diagnoseAnswer(input: DiagnosisInput, outcome: Accepted): Diagnosis {
  const { expected } = input;
  if (outcome.status === 403) {
    const words = wordsOf(outcome.body) ?? 'an authorization plugin does not allow this client';
    return verdict(
      'denied-by-daemon',
      `TLS is fine, but the daemon answers 403: ${words}`,
      journal(expected, input.inside),
    );
  }
  if (outcome.status >= 500) {
    const message = `TLS is fine, but the daemon answers ${outcome.status}`;
    const hints = [journal(expected, input.inside), restartHint(expected, input.inside)];
    return verdict('daemon-not-answering', message, ...hints);
  }
  const byTunnel = expected.via !== undefined;
  const fault = byTunnel ? apiVersionFault(input, outcome.body) : settingsFault(input, outcome.body);
  if (fault !== undefined) return fault;
  const other = byTunnel ? undefined : otherContext(input);
  const drift = notApplied(input, outcome.chain);
  const plain =
    expected.context === undefined ? 'docker version' : `docker --context ${shellQuote(expected.context)} version`;
  const use = byTunnel ? offeredCommands('tunnel', hostAndClient(expected), '-- docker version') : [plain];
  return {
    cause: 'none',
    message: `${expected.host} answers this client over ${outcome.protocol || 'HTTP'}`,
    hints: [...(drift === undefined ? [] : [`docker-tls apply ${expectedName(expected)}`]), ...(other?.hints ?? use)],
    note: [drift, other?.note].filter((one) => one !== undefined).join('; ') || undefined,
  };
}

/** The store has a different certificate for the host, perhaps a newer one; undefined if there is nothing to compare. */
function notApplied({ storedCert, expected }: DiagnosisInput, served: string): string | undefined {
  if (storedCert === undefined || infos(served).length === 0) return undefined;
  const drift = certificateDrift(served, storedCert, 'serves');
  return drift && `${expected.name ?? expected.host} ${drift}`;
}

/** The daemon's own message in its answer. */
function wordsOf(body: string): string | undefined {
  const { message } = fieldsOf(parseJson(body));
  return typeof message === 'string' && message !== '' ? message : undefined;
}

function diagnoseRefusal(input: DiagnosisInput, outcome: Refused): Diagnosis {
  const { expected } = input;
  const name = expectedName(expected);
  const [address, port] = hostAndPort(expected.host);
  const simply = (message: string, ...hints: Hint[]) => verdict(outcome.cause, message, ...hints);
  if (ANSWERS_OF_OTHERS.includes(outcome.cause)) {
    const other = otherProgram(input, address, name);
    if (other !== undefined) return simply(...other);
  }
  const gone = loggedOut(input, outcome, address, port);
  if (gone !== undefined) return gone;
  switch (outcome.cause) {
    case 'expired':
    case 'not-yet-valid':
      return clockFault(input, outcome.chain) ?? outOfTime(input, outcome, name);
    case 'client-refused':
      return clientFault(input) ?? refusedClient(input, outcome, name);
    case 'wrong-name':
      return wrongName(input, name, address);
    case 'unknown-authority':
      return unknownAuthority(input, outcome, name);
    case 'connection-refused':
      return nothingListens(input, address, port, name);
    case 'timed-out':
      return timedOut(input, outcome, address, port);
    case 'unreachable':
      return unreachableDiagnosis(input, outcome, address, port);
    case 'name-not-found':
      return unknownNameDiagnosis(expected, outcome, address);
    case 'plain-http':
      return simply(
        `port ${port} of ${address} speaks plain HTTP: any client that reaches it is root there; no certificate is required`,
        owners(expected, `docker-tls apply ${name}`),
      );
    case 'protocol':
      if (outcome.notTls)
        return simply(
          `port ${port} of ${address} is not a TLS port: a program other than dockerd answers there (${outcome.reason})`,
          remotely(expected, 'ss', '-ltnp', `sport = :${port}`),
        );
      return simply(
        `${address} and this computer have no version of TLS in common: ${outcome.reason}`,
        `openssl s_client -connect ${shellQuote(`${address.includes(':') ? `[${address}]` : address}:${port}`)} -brief`,
        remotely(expected, 'dockerd', '--version'),
      );
    case 'reset': {
      // systemd accepts connections for the daemon, and closes them if it does not come up.
      const stopped = input.inside && notRunning(expected, input.inside);
      if (stopped !== undefined) return { cause: 'daemon-not-answering', ...stopped };
      if (input.inside?.doubt !== undefined)
        return simply(
          `${address} accepts the connection and then cuts it: the host's own firewall may (${input.inside.doubt.words})`,
          ...input.inside.doubt.commands,
        );
      return simply(
        `${address} closes the connection without a TLS alert, as a proxy, a load balancer or a stopping daemon does`,
        ours('doctor', expected),
        journal(expected, input.inside),
      );
    }
    case 'not-spoken-here':
    case 'other':
      return simply(outcome.reason, ours('verify', expected), journal(expected, input.inside));
  }
}

/** Commands that give the host's store another CA. */
function newCa({ expected }: DiagnosisInput): Hint[] {
  return offeredCommands('new CA').map((one) => owners(expected, one));
}

function outOfTime(input: DiagnosisInput, outcome: Refused, name: string): Diagnosis {
  const [certificate] = infos(outcome.chain);
  const early = outcome.cause === 'not-yet-valid';
  const end = early ? certificate?.notBefore : certificate?.notAfter;
  const off = end === undefined ? 0 : early ? end.getTime() - input.now.getTime() : input.now.getTime() - end.getTime();
  if (end === undefined || off <= 0) {
    // The server's own certificate is valid, so the expired one is above it.
    const message = `${outcome.reason}: the server's own certificate is in its time, its CA's is not`;
    return verdict(outcome.cause, message, 'docker-tls status', ...newCa(input));
  }
  const message = early
    ? `the certificate of ${input.expected.host} is not valid for another ${duration(off)} (until ${timeOf(end)}) by this computer's clock, which says ${timeOf(input.now)}: if it is wrong, set it first`
    : `the certificate of ${input.expected.host} expired ${duration(off)} ago (${timeOf(end)})`;
  const drift = notApplied(input, outcome.chain);
  if (drift !== undefined && !input.expected.caExpired)
    return verdict(outcome.cause, `${message}; ${drift}`, `docker-tls apply ${name}`);
  const renew = [owners(input.expected, `docker-tls rotate server ${name}`)];
  return verdict(outcome.cause, message, ...(input.expected.caExpired ? newCa(input) : renew));
}

function wrongName(input: DiagnosisInput, name: string, address: string): Diagnosis {
  const names = input.names ?? infos(input.outcome.chain)[0]?.sans.map((san) => san.value) ?? [];
  const has = names.length === 0 ? 'has no names' : `is for ${names.join(', ')}`;
  const message = `the certificate there ${has}, and not for the dialled ${address}`;
  const setup = (flag: string, value: string) =>
    owners(input.expected, `docker-tls setup ${name} ${flag} ${shellQuote(value)}`);
  const other = names.slice(0, 1).map((first) => setup('--address', first));
  return verdict('wrong-name', message, setup('--san', address), ...other);
}

/** The records allow this client and its credentials are valid: either the host or the copy of the credentials is outdated. */
function refusedClient(input: DiagnosisInput, outcome: Refused, name: string): Diagnosis {
  const { expected } = input;
  const moved = input.inside?.problems.find(({ code }) => code === 'E_HOST_MANAGED');
  if (moved !== undefined)
    return verdict(
      'client-refused',
      `${expected.host} rejects this client: ${moved.message}`,
      ...moved.hints.slice(0, -1),
      `or take the host over: docker-tls apply ${name} --take-over`,
    );
  const subject = infos(input.clientCert ?? '')[0]?.subject;
  const who = subject === undefined ? 'this client' : `the client ${subject}`;
  return {
    cause: 'client-refused',
    message: `${expected.host} is the right one, but rejects ${who}: ${outcome.alert ?? outcome.reason}${isTrusted(input) === false ? "; the host's trust file does not have it: it was signed but not applied" : ''}`,
    note: expected.external
      ? 'a new client is rejected until the host is applied where it was set up; one that was revoked stays rejected: ask for access there'
      : undefined,
    hints: expected.external
      ? [owners(expected, `docker-tls apply ${name}`), ...newCredentials(expected)]
      : [`docker-tls apply ${name}`, 'docker-tls client list'],
  };
}

/** True if the host's trust file accepts this client; undefined if it could not be read. */
function isTrusted({ clientCert, inside, now }: DiagnosisInput): boolean | undefined {
  if (!clientCert || !inside?.trust) return undefined;
  return verifyChain({ leaf: clientCert, anchors: [inside.trust], purpose: 'client', now }).ok;
}

/** The origin of the certificate decides: ours, unknown only to this client's copy of the CA, or foreign. */
function unknownAuthority(input: DiagnosisInput, outcome: Refused, name: string): Diagnosis {
  const { expected, storedCert, inside } = input;
  const say = (message: string, ...hints: Hint[]) => verdict('unknown-authority', message, ...hints);
  const [served, stored, lying] = [outcome.chain, storedCert, inside?.serverCert].map(
    (pem) => infos(pem ?? '')[0]?.fingerprint,
  );
  const begins = `the certificate of ${expected.host} was not issued by the CA in ${expected.certPath}${issuerOf(outcome)}`;
  if (expected.external)
    return say(
      `${begins}: the CA was replaced where the host was set up, or this is another host`,
      ...newCredentials(expected),
    );
  if ((served !== undefined && served === stored) || isOurs(outcome.chain, input))
    return say(
      `${begins}, but by another CA of this store: this client's credentials are older than that`,
      ...newCredentials(expected),
    );
  if (lying !== undefined && lying === stored)
    return say(
      `${begins}, and ours is on the host: another program answers on that port`,
      remotely(expected, 'ss', '-ltnp', `sport = :${hostAndPort(expected.host)[1]}`),
    );
  return say(`${begins}: the host has been given the certificate of another CA`, `docker-tls apply ${name}`);
}

function isOurs(chain: string, { cas, now }: DiagnosisInput): boolean {
  if (chain === '' || !cas) return false;
  try {
    return verifyChain({ leaf: chain, anchors: [cas], purpose: 'server', now }).ok;
  } catch {
    return false; // An untrusted client may serve damaged data.
  }
}

function issuerOf(outcome: Refused): string {
  const [certificate] = infos(outcome.chain);
  if (certificate === undefined) return '';
  return certificate.selfIssued ? ' (it signed itself)' : ` (its issuer is ${certificate.issuer})`;
}
