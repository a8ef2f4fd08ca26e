/** Times in `doctor`: certificates outside their validity period, and clock differences between this machine and a host. Pure. */

import { type CertificateInfo, inspectCertificate, splitBundle } from '../../../core/domain/pki/inspect.ts';
import { clockCommand, sshCommand } from '../../../core/domain/quote.ts';
import { newCredentials } from '../../../core/domain/trust/new-credentials.ts';
import { type Diagnosis, type DiagnosisInput, expectedLogin } from './diagnosis.ts';

/** Clocks with NTP differ by milliseconds; our certificates are backdated by more than a minute. */
const SKEW_THAT_MATTERS_MS = 60_000;

type Timed = Pick<CertificateInfo, 'subject' | 'notBefore' | 'notAfter'>;

/** The server's certificate is valid by the host's clock but not by this machine's: the clocks differ. */
export function clockFault(input: DiagnosisInput, chain: string): Diagnosis | undefined {
  const skew = skewOf(input);
  if (skew === undefined) return undefined;
  const certificates = infos(chain);
  const there = new Date(input.now.getTime() + skew);
  const broken = certificates.find((one) => !inTime(one, input.now));
  if (broken === undefined || certificates.some((one) => !inTime(one, there))) return undefined;
  const early = input.now < broken.notBefore;
  return {
    cause: early ? 'not-yet-valid' : 'clock-skew',
    message: `the certificate of ${input.expected.host} ${early ? `is not valid until ${timeOf(broken.notBefore)}` : `has expired (${timeOf(broken.notAfter)})`} by this computer's clock, but is in its time by the host's: ${skewText(skew, input.now)}`,
    hints: setClocks(input, 'here'),
  };
}

/** The client's certificate is outside its validity period, by this machine's clock or by the host's. The host's decides. */
export function clientFault(input: DiagnosisInput): Diagnosis | undefined {
  const certificates = infos(input.clientCert ?? '');
  const here = certificates.find((one) => !inTime(one, input.now));
  const skew = skewOf(input);
  if (here !== undefined) {
    const late = input.now > here.notAfter;
    const off = late ? input.now.getTime() - here.notAfter.getTime() : here.notBefore.getTime() - input.now.getTime();
    return {
      cause: late ? 'client-expired' : 'client-not-yet-valid',
      message: `the client's certificate (${here.subject}) ${late ? `expired ${duration(off)} ago (${timeOf(here.notAfter)})` : `is not valid for another ${duration(off)} (until ${timeOf(here.notBefore)}) by this computer's clock, which says ${timeOf(input.now)}: if it is wrong, set it first`}`,
      hints: newCredentials(input.expected),
    };
  }
  if (skew === undefined) return undefined;
  const there = new Date(input.now.getTime() + skew);
  const broken = certificates.find((one) => !inTime(one, there));
  if (broken === undefined) return undefined;
  return {
    cause: 'clock-skew',
    message: `the client's certificate (${broken.subject}) is in its time here, but by the host's clock it ${there > broken.notAfter ? 'has expired' : 'is not valid yet'}: ${skewText(skew, input.now)}`,
    hints: setClocks(input, 'there'),
  };
}

/** True if all certificates of a text have expired, and it has at least one. */
export function haveExpired(pem: string, now: Date): boolean {
  const found = infos(pem);
  return found.length > 0 && found.every(({ notAfter }) => notAfter <= now);
}

/** The certificates of a PEM text as plain data; none if it is damaged. */
export function infos(pem: string): CertificateInfo[] {
  try {
    return splitBundle(pem).map(inspectCertificate);
  } catch {
    return [];
  }
}

/** For users: the two largest units, as in `3 days 4 h`. Input in milliseconds. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(Math.abs(milliseconds) / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), seconds >= 172_800 ? ' days' : ' day'],
    [Math.floor((seconds % 86_400) / 3600), ' h'],
    [Math.floor((seconds % 3600) / 60), ' min'],
    [seconds % 60, ' s'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join(' ');
}

/** To the second, in UTC. */
export function timeOf(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

function skewOf(input: DiagnosisInput): number | undefined {
  const skew = input.remoteClockSkewMs;
  return skew !== undefined && Math.abs(skew) >= SKEW_THAT_MATTERS_MS ? skew : undefined;
}

function skewText(skew: number, now: Date): string {
  const there = timeOf(new Date(now.getTime() + skew));
  return `the host's clock is ${duration(skew)} ${skew > 0 ? 'ahead of' : 'behind'} this computer's (${there} there, ${timeOf(now)} here)`;
}

/**
 * Commands that set one clock from the other, without a time service, which may be missing; the clock that is more likely wrong comes
 * first.
 */
function setClocks({ expected }: DiagnosisInput, wrong: 'here' | 'there'): string[] {
  const here = `if this computer's clock is wrong, as root: date -u -s "@$(${sshCommand(expectedLogin(expected), 'date', '+%s')})"`;
  const there = `if the host's clock is wrong: ${clockCommand(expectedLogin(expected))}`;
  return wrong === 'here' ? [here, there] : [there, here];
}

function inTime(certificate: Timed, at: Date): boolean {
  return at >= certificate.notBefore && at <= certificate.notAfter;
}
