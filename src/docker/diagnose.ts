/**
 * Owns the verdict of `doctor`: from what a probe met, what the environment says and what should be, ONE cause with the command that
 * mends it. Pure. What the probe met comes first; only a host that answers well leads on to this computer's own settings.
 */

import { shellQuote } from '../daemon/quote.ts';
import { printable } from '../errors.ts';
import type { ProbeOutcome } from '../runtime.ts';
import { clientFault, clockFault, duration, infos, timeOf } from './clocks.ts';
import { addressOf, type Diagnosis, type DiagnosisInput, type Expected, nameOf, remotely } from './diagnosis.ts';
import { settingsFault } from './settings.ts';

type Accepted = Extract<ProbeOutcome, { kind: 'accepted' }>;
type Refused = Extract<ProbeOutcome, { kind: 'refused' }>;

/** The one cause, and how to mend it; `none` when the host answers this client and nothing on this computer leads docker elsewhere. */
export function diagnose(input: DiagnosisInput): Diagnosis {
  const { outcome } = input;
  const found = outcome.kind === 'refused' ? diagnoseRefusal(input, outcome) : diagnoseAnswer(input, outcome);
  // Names in certificates and values of variables are part of these texts.
  return { ...found, message: printable(found.message), hints: found.hints.map((hint) => printable(hint)) };
}

function diagnoseAnswer(input: DiagnosisInput, outcome: Accepted): Diagnosis {
  const { expected } = input;
  if (outcome.status === 403) {
    return {
      cause: 'denied-by-daemon',
      message: 'TLS is fine, but the daemon answers 403: an authorization plugin does not allow this client',
      hints: [remotely(expected, 'docker info --format "{{.Plugins.Authorization}}"')],
    };
  }
  if (outcome.status >= 500) {
    return {
      cause: 'daemon-not-answering',
      message: `TLS is fine, but the daemon answers ${outcome.status}`,
      hints: [remotely(expected, 'journalctl -u docker -n 50'), remotely(expected, 'systemctl restart docker')],
    };
  }
  return (
    settingsFault(input, outcome.body) ?? {
      cause: 'none',
      message: `${expected.host} answers this client over ${outcome.protocol || 'HTTP'}, and docker on this computer is led there`,
      hints:
        expected.context === undefined
          ? ['docker version']
          : [`docker --context ${shellQuote(expected.context)} version`],
    }
  );
}

function diagnoseRefusal(input: DiagnosisInput, outcome: Refused): Diagnosis {
  const { expected } = input;
  const name = nameOf(expected);
  const [address, port] = addressOf(expected.host);
  const simply = (message: string, ...hints: string[]): Diagnosis => ({ cause: outcome.cause, message, hints });
  switch (outcome.cause) {
    case 'expired':
    case 'not-yet-valid':
      return clockFault(input, outcome.chain) ?? outOfTime(input, outcome, name);
    case 'client-refused':
      return clientFault(input) ?? refusedClient(input, outcome, name);
    case 'wrong-name':
      return wrongName(input, name, address);
    case 'unknown-authority':
      return simply(
        `the certificate of ${expected.host} was not issued by the CA in ${expected.certPath}${issuerOf(outcome)}: another CA is in force there, something stands in between, or this is another host`,
        `docker-tls verify ${name}`,
        `docker-tls apply ${name}`,
        'docker-tls client import FILE',
      );
    case 'connection-refused':
      return simply(
        `nothing listens on port ${port} of ${address}: the daemon or its socket is stopped, or the port is another one`,
        remotely(expected, 'systemctl status docker docker-tls.socket'),
        `docker-tls apply ${name}`,
      );
    case 'timed-out':
      return timedOut(expected, outcome, address, port);
    case 'unreachable':
      return simply(
        `there is no way from this computer to ${address}: ${outcome.reason}`,
        `ping -c 1 ${shellQuote(address)}`,
        'ip route',
      );
    case 'name-not-found':
      return simply(
        `the name ${address} is not known here: ${outcome.reason}`,
        `getent hosts ${shellQuote(address)}`,
        `docker-tls setup ${name} --address ADDRESS`,
      );
    case 'plain-http':
      return simply(
        `port ${port} of ${address} speaks plain HTTP: whoever reaches it is root there, and no certificate is asked for`,
        `docker-tls apply ${name}`,
        `docker-tls audit ${name}`,
      );
    case 'protocol':
      return simply(
        `${address} and this computer have no version of TLS in common, or port ${port} is no TLS port: ${outcome.reason}`,
        `openssl s_client -connect ${shellQuote(`${address.includes(':') ? `[${address}]` : address}:${port}`)} -brief`,
        remotely(expected, 'dockerd --version'),
      );
    case 'reset':
      return simply(
        `${address} accepts the connection and then cuts it without a word, which a proxy, a load balancer or a daemon that is just stopping does`,
        `docker-tls doctor ${name}`,
        remotely(expected, 'journalctl -u docker -n 50'),
      );
    case 'not-spoken-here':
    case 'other':
      return simply(outcome.reason, `docker-tls verify ${name}`, remotely(expected, 'journalctl -u docker -n 50'));
  }
}

function outOfTime(input: DiagnosisInput, outcome: Refused, name: string): Diagnosis {
  const [certificate] = infos(outcome.chain);
  const early = outcome.cause === 'not-yet-valid';
  const end = early ? certificate?.notBefore : certificate?.notAfter;
  const off = end === undefined ? 0 : early ? end.getTime() - input.now.getTime() : input.now.getTime() - end.getTime();
  if (end === undefined || off <= 0) {
    // The server's own certificate is in its time, so it is one above.
    const message = `${outcome.reason}: the server’s own certificate is in its time, its CA’s is not`;
    return { cause: outcome.cause, message, hints: ['docker-tls status', 'docker-tls rotate ca'] };
  }
  const message = early
    ? `the certificate of ${input.expected.host} is not valid for another ${duration(off)} (until ${timeOf(end)}) by this computer’s clock, which says ${timeOf(input.now)}`
    : `the certificate of ${input.expected.host} expired ${duration(off)} ago (${timeOf(end)})`;
  const hints = early
    ? ['date -u', 'timedatectl set-ntp true', `docker-tls rotate server ${name}`]
    : [`docker-tls rotate server ${name}`, 'docker-tls schedule'];
  return { cause: outcome.cause, message, hints };
}

function wrongName(input: DiagnosisInput, name: string, address: string): Diagnosis {
  const names = input.names ?? infos(input.outcome.chain)[0]?.sans.map((san) => san.value) ?? [];
  const has = names.length === 0 ? 'names nobody' : `is for ${names.join(', ')}`;
  return {
    cause: 'wrong-name',
    message: `the certificate there ${has}, and not for ${address}, which is what was dialled`,
    hints: [
      `docker-tls setup ${name} --san ${shellQuote(address)}`,
      ...(names[0] === undefined ? [] : [`docker-tls setup ${name} --address ${shellQuote(names[0])}`]),
    ],
  };
}

function refusedClient(input: DiagnosisInput, outcome: Refused, name: string): Diagnosis {
  const subject = infos(input.clientCert ?? '')[0]?.subject;
  const who = subject === undefined ? 'this client' : `the client ${subject}`;
  return {
    cause: 'client-refused',
    message: `${input.expected.host} is the right one, but does not let ${who} in: ${outcome.reason.replace(/^the server refused this client: /, '')}`,
    hints: ['docker-tls client list', `docker-tls apply ${name}`, 'docker-tls client import FILE'],
  };
}

function timedOut(expected: Expected, outcome: Refused, address: string, port: string): Diagnosis {
  if (outcome.stage === 'handshake' || outcome.stage === 'answer') {
    return {
      cause: 'daemon-not-answering',
      message: `port ${port} of ${address} takes connections, but the daemon behind it does not answer: it hangs, or it is still starting`,
      hints: [remotely(expected, 'systemctl status docker'), remotely(expected, 'journalctl -u docker -n 50')],
    };
  }
  return {
    cause: 'timed-out',
    message: `no answer at all from port ${port} of ${address}: a firewall drops the packets (the host’s own, or the cloud’s security group), or the host is down`,
    hints: [
      `nc -vz -w 5 ${shellQuote(address)} ${port}`,
      remotely(expected, `nft list ruleset | grep -n ${port}`),
      remotely(expected, `ufw allow ${port}/tcp`),
    ],
  };
}

function issuerOf(outcome: Refused): string {
  const [certificate] = infos(outcome.chain);
  if (certificate === undefined) return '';
  return certificate.selfIssued ? ' (it signed itself)' : ` (its issuer is ${certificate.issuer})`;
}
