/** Checks of TLS: client access by probes, and the strength of certificates and keys. */

import { tlsModeOf } from '../../../../core/domain/dockerd/daemon-options.ts';
import { FULL_ROLE } from '../../../../core/domain/trust/view.ts';
import { offeredCommands } from '../../../../core/seams/offered-commands.ts';
import type { AuditFacts } from '../audit-facts.ts';
import { type CertificateFact, readCertificates } from '../certificates.ts';
import {
  type AuditProbe,
  type Check,
  checksOf,
  type Evidence,
  finding,
  gravestOf,
  judge,
  notApplicable,
  type Outside,
  PASS,
  type Severity,
  type Verdict,
} from '../check.ts';
import { exposedAddresses, gotIn } from '../exposure.ts';
import { isDockersKey, keyFlaws, SHARED_STAYS } from './file-modes.ts';

const DAY_MS = 86_400_000;
const [NEW_CA] = offeredCommands('new CA');
const [OWN_CA] = offeredCommands('own-ca');

function requested(outside: Outside, what: AuditProbe['what']): readonly AuditProbe[] {
  return outside.probes.filter((probe) => probe.what === what);
}

function notRequested(facts: AuditFacts): Verdict {
  return notApplicable(
    exposedAddresses(facts).length === 0 ? 'dockerd does not listen on TCP' : 'no probe was made from outside',
  );
}

/** Answers that show the server's TLS: the probe reached a server that speaks TLS. */
function answered({ outcome }: AuditProbe): boolean {
  return (
    outcome.kind === 'accepted' ||
    !/^(connection-refused|timed-out|unreachable|name-not-found|plain-http|not-spoken-here)$/.test(outcome.cause)
  );
}

function mustNotGetIn(what: AuditProbe['what'], text: string): Check['evaluate'] {
  return (facts, outside) => {
    const probes = requested(outside, what);
    if (probes.length === 0) return notRequested(facts);
    const reached = probes.filter(answered);
    if (reached.length === 0) return notApplicable('this computer reaches no TLS port');
    return judge(reached.filter(gotIn).map(({ address, port }) => ({ place: `${address}:${port}`, text })));
  };
}

/** Accepted probes, and trusted CAs that do not belong to the store of this host. */
function otherAuthorities(facts: AuditFacts, outside: Outside): Verdict {
  const tried = mustNotGetIn(
    'other-authority',
    'lets clients in whose certificate comes from a CA that it should not know',
  )(facts, outside);
  const { ourCas, now } = outside;
  const { ca } = facts.tls;
  if (tried.state === 'finding' || ourCas === undefined || ca === undefined) return tried;
  const others = readCertificates(ca.pem ?? '').filter(
    (one) => !ourCas.has(one.fingerprint) && one.notAfter > now && !refusesAll(one.commonName, outside),
  );
  if (others.length === 0) return tried;
  const text = ({ subject, commonName, notAfter }: CertificateFact) =>
    `accepts every client of ${subject}${roleOf(commonName, outside)}, a CA that is not of this store, until ${notAfter.toISOString().slice(0, 10)}`;
  const evidence = others.map((one) => ({ place: ca.path, text: text(one) }));
  return finding(evidence, 'low', 'a CA of --accept-ca stays until --accept-ca none');
}

/** A listener may list a CA and accept none of its clients. */
function refusesAll(ca: string, { listener }: Outside): boolean {
  return listener?.acceptedOf(ca).length === 0;
}

/** What clients of a CA that is not ours may do there, if a listener limits it. */
function roleOf(ca: string, { listener }: Outside): string {
  const [found] = listener?.acceptedOf(ca) ?? [];
  return found === undefined || found.role === FULL_ROLE ? '' : ` with the role ${found.role}`;
}

function oldProtocol(facts: AuditFacts, outside: Outside): Verdict {
  const probes = requested(outside, 'old-protocol');
  if (probes.length === 0) return notRequested(facts);
  // Any other cause may lie on this machine.
  const reached = probes.filter(
    (probe) => answered(probe) && (probe.outcome.kind === 'accepted' || probe.outcome.cause !== 'other'),
  );
  if (reached.length === 0) return notApplicable('this computer reached no port with TLS 1.1');
  // The server sent a certificate, so TLS was negotiated, even if it then refused the client.
  const spoken = reached.filter(({ outcome }) => outcome.kind === 'accepted' || outcome.cause === 'client-refused');
  return judge(spoken.map(({ address, port }) => ({ place: `${address}:${port}`, text: 'speaks TLS 1.1' })));
}

function plain(facts: AuditFacts, outside: Outside): Verdict {
  const probed = requested(outside, 'plain')
    .filter(gotIn)
    .map(({ address, port }) => ({
      place: `${address}:${port}`,
      text: 'answers in plain HTTP, to any client, as root',
      local: false,
    }));
  const configured =
    tlsModeOf(facts.daemon) !== 'none'
      ? []
      : exposedAddresses(facts).map(({ address, place, loopback }) => ({
          place,
          text: `the API is served in plain HTTP on ${address}`,
          local: loopback,
        }));
  const evidence = [...probed, ...configured];
  if (evidence.length > 0) {
    const places = evidence.map(({ place, text }) => ({ place, text }));
    return finding(places, evidence.every(({ local }) => local) ? 'high' : 'critical');
  }
  if (facts.daemon.words === undefined && facts.docker === undefined && !facts.podmanService)
    return notApplicable('there is no dockerd');
  return PASS;
}

/** The server's certificates: as served to a probe, otherwise from the file in dockerd's configuration. */
function serverChain(
  facts: AuditFacts,
  outside: Outside,
): { readonly place: string; readonly chain: readonly CertificateFact[] } | undefined {
  for (const { outcome, address, port } of outside.probes) {
    const chain = outcome.chain === '' ? [] : readCertificates(outcome.chain);
    if (chain.length > 0) return { place: `${address}:${port}`, chain };
  }
  const file = facts.tls.cert;
  const chain = readCertificates(file?.pem ?? '');
  return file === undefined || chain.length === 0 ? undefined : { place: file.path, chain };
}

function days(from: Date, to: Date): number {
  return Math.floor((to.getTime() - from.getTime()) / DAY_MS);
}

function expiry(place: string, certificates: readonly CertificateFact[], now: Date, warnDays: number): Verdict {
  const evidence = certificates.flatMap(({ subject, notBefore, notAfter }): readonly Evidence[] => {
    const left = days(now, notAfter);
    const date = Number.isNaN(notAfter.getTime()) ? 'an unknown date' : notAfter.toISOString().slice(0, 10);
    const found = (text: string, severity: Severity) => [{ place, text: `${subject} ${text}`, severity }];
    if (notBefore > now) return found(`is not valid before ${notBefore.toISOString()}: is the clock right?`, 'high');
    if (left < 0) return found(`expired on ${date}`, 'high');
    return left >= warnDays ? [] : found(`expires on ${date}, in ${left} days`, 'medium');
  });
  const pieces = evidence.map(({ place, text }) => ({ place, text }));
  return judge(pieces, gravestOf(evidence));
}

/** The extension of its certificate identifies a CA key, not the file name; but the name is the hint that users rely on. */
const CA_KEY = /(^|[/._-])(root-?)?ca([._-]?(priv|private))?[._-]?key\b|(^|\/)ca\.key$/i;

function privateKeys(facts: AuditFacts): Verdict {
  const files = [...facts.keyFiles];
  const key = facts.tls.key?.file;
  if (key !== undefined && !files.some(({ path }) => path === key.path)) files.push(key);
  if (files.length === 0) return notApplicable('no private keys were found');
  const flawed = files.filter((file) => keyFlaws(file).length > 0);
  if (flawed.length === 0) return PASS;
  const stays = flawed.some((file) => isDockersKey(facts, file)) ? undefined : SHARED_STAYS;
  const evidence = flawed.map((file) => ({ place: file.path, text: keyFlaws(file).join('; ') }));
  return finding(evidence, undefined, stays);
}

const NO_TLS = 'no server certificate was found';

export const TLS_CHECKS: readonly Check[] = checksOf<Check>({
  'tls.1': {
    title: 'Clients without a certificate are rejected',
    failure: 'Clients without a certificate get in',
    severity: 'critical',
    why: "Docker's API is root on the host.",
    fix: (host) => `docker-tls setup ${host}`,
    fixable: 'tls',
    evaluate: mustNotGetIn('no-certificate', 'lets clients in that show no certificate'),
  },
  'tls.2': {
    title: 'Certificates of other CAs are rejected',
    failure: "Clients with another CA's certificate get in",
    severity: 'critical',
    why: 'A certificate that any client can make protects nothing.',
    fix: (host) => `docker-tls setup ${host}`,
    fixable: 'tls',
    evaluate: otherAuthorities,
  },
  'tls.3': {
    title: "Docker's API is not served in plain HTTP",
    failure: "Docker's API is served in plain HTTP",
    severity: 'critical',
    why: 'Port 2375 is searched for on the whole Internet, and an open one is taken over within hours.',
    fix: (host) =>
      `docker-tls setup ${host} (it takes the plain address of dockerd out; one of podman.socket stays: systemctl edit podman.socket)`,
    fixable: 'tls',
    evaluate: plain,
  },
  'tls.4': {
    title: 'Only TLS 1.2 and later are enabled',
    failure: 'TLS before 1.2 is accepted',
    severity: 'medium',
    why: 'TLS 1.0 and 1.1 are broken and withdrawn (RFC 8996).',
    fix: 'Upgrade Docker: dockerd refuses them since 17.06.',
    evaluate: oldProtocol,
  },
  'tls.5': {
    title: "The server's certificate is valid for at least 30 more days",
    failure: "The server's certificate expires within 30 days",
    severity: 'medium',
    why: 'On the day it expires, all clients are locked out at once.',
    fix: (host) => `docker-tls rotate server ${host}`,
    evaluate: (facts, outside) => {
      const server = serverChain(facts, outside);
      return server === undefined ? notApplicable(NO_TLS) : expiry(server.place, server.chain, outside.now, 30);
    },
  },
  'tls.6': {
    title: 'Keys and signatures are strong',
    failure: 'A key or signature is weak',
    severity: 'high',
    why: 'A short key or a SHA-1 signature can be forged.',
    fix: (host) => `docker-tls rotate server ${host}${NEW_CA === undefined ? '' : ` (${NEW_CA} for a weak CA)`}`,
    evaluate: (facts, outside) => {
      const server = serverChain(facts, outside);
      const trust = facts.tls.ca;
      const all = [
        ...(server?.chain ?? []).map((certificate) => ({ place: server?.place ?? '', certificate })),
        ...readCertificates(trust?.pem ?? '').map((certificate) => ({ place: trust?.path ?? '', certificate })),
      ];
      if (all.length === 0) return notApplicable(NO_TLS);
      return judge(
        all.flatMap(({ place, certificate }) =>
          certificate.weak.map((text) => ({ place, text: `${certificate.subject}: ${text}` })),
        ),
      );
    },
  },
  'tls.7': {
    title: 'The certificate names what clients dial',
    failure: 'The certificate does not name what clients dial',
    severity: 'medium',
    why: 'Otherwise clients fail, and users switch verification off.',
    fix: (host) => `docker-tls setup ${host} --san NAME`,
    evaluate: (facts, outside) => {
      const leaf = serverChain(facts, outside);
      const first = leaf?.chain[0];
      if (leaf === undefined || first === undefined) return notApplicable(NO_TLS);
      if (outside.dialled.length === 0) return notApplicable('it is not known which names clients dial');
      return judge(
        outside.dialled
          .filter((name) => !first.covers(name))
          .map((name) => ({ place: leaf.place, text: `is not valid for ${name}` })),
      );
    },
  },
  'tls.8': {
    title: 'The CAs that are trusted are valid for at least 90 more days',
    failure: 'A trusted CA expires within 90 days',
    severity: 'medium',
    why: 'With its CA every client certificate expires, and a new CA takes time to hand out.',
    fix: NEW_CA ?? 'Replace the CA',
    evaluate: (facts, outside) => {
      const trust = facts.tls.ca;
      const certificates = readCertificates(trust?.pem ?? '');
      if (trust === undefined || certificates.length === 0) return notApplicable('no trusted CA was found');
      return expiry(trust.path, certificates, outside.now, 90);
    },
  },
  'tls.9': {
    title: 'Private keys are private',
    failure: 'Private keys can be read by others',
    severity: 'critical',
    why: 'Anyone who can read a key can be that host or that client. Keys are looked for in /etc/docker and wherever dockerd points to.',
    fix: (host) =>
      `chown root:root and chmod 0400 the key; a key that others could read should be replaced: docker-tls rotate server ${host}`,
    fixable: 'file-modes',
    evaluate: privateKeys,
  },
  'tls.10': {
    title: "The CA's private key is not on the host",
    failure: "The CA's private key is on the host",
    severity: 'high',
    why: 'Anyone who takes the host over could make certificates for all hosts and clients.',
    fix: `Move it to the place where certificates are made${OWN_CA === undefined ? '' : ` (${OWN_CA})`}, and delete it here.`,
    evaluate: (facts) => {
      if (facts.keyFiles.length === 0) return notApplicable('no private keys were found');
      return judge(
        facts.keyFiles
          .filter(({ path }) => CA_KEY.test(path))
          .map(({ path }) => ({ place: path, text: "looks like the CA's private key" })),
      );
    },
  },
});
