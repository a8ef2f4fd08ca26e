/** Owns how a host differs from what the store has of it: as it answers over TLS, and over SSH. */

import type { StoredClient, StoredHost, StoreState } from '../adapters/store/records.ts';
import { SOCKET_UNIT } from '../domain/dockerd/paths.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import { installedCredentials } from '../domain/plan/facts.ts';
import { WITHOUT_FILE } from '../domain/plan/file-change.ts';
import { preflight } from '../domain/plan/preflight.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { Reach } from '../engine/intent.ts';
import { probeAs } from '../engine/probes.ts';
import { probeClientAt, trustedCas } from '../engine/reachable-hosts.ts';
import { openHost } from '../engine/steps/connect.ts';
import { DockerTlsError } from '../errors/errors.ts';
import type { HostProgress, Probe } from '../runtime.ts';

export async function askOverTls(
  probe: Probe,
  now: Date,
  state: StoreState,
  host: StoredHost,
  unexpired: readonly StoredClient[],
): Promise<string[]> {
  const { address, port } = host.record;
  const client = probeClientAt(unexpired, host);
  // Not the host's own trust file: that may name single clients' CAs alone.
  const at = { address, port, ca: trustedCas(state), timeoutMs: 10_000, now };
  const credentials = client?.key && { cert: client.cert, key: client.key };
  const row = credentials === undefined ? 'no-certificate' : 'own-certificate';
  const outcome = await probeAs(probe, row, at, credentials);
  if (outcome.kind === 'refused' && outcome.chain === '') {
    throw new DockerTlsError({
      code: 'E_TLS',
      where: host.record.name,
      message: `${address}:${port}: ${outcome.reason}`,
      hints: [`docker-tls doctor ${host.record.name}`],
    });
  }
  const drift: string[] = [];
  if (
    outcome.chain === '' ||
    inspectCertificate(outcome.chain).fingerprint !== inspectCertificate(host.serverCert).fingerprint
  )
    drift.push('does not serve the certificate in the store');
  if (outcome.kind === 'accepted' && client === undefined) drift.push('accepts clients without a certificate');
  // Where no client of this computer is accepted, being rejected is right.
  if (outcome.kind === 'refused' && !(client === undefined && outcome.cause === 'client-refused'))
    drift.push(`${outcome.cause}: ${outcome.reason}`);
  return drift;
}

export async function askOverSsh(
  host: StoredHost,
  spec: HostSpec,
  reach: Reach,
  line: HostProgress,
): Promise<string[]> {
  const opened = await openHost(spec, reach, line);
  try {
    const { facts } = opened;
    if (facts.state === undefined) return ['docker-tls has not changed this host, or it was restored'];
    const drift: string[] = [];
    const credentials = installedCredentials(facts);
    if (credentials?.cert !== host.serverCert) drift.push('the certificate on the host is not the one in the store');
    if (credentials?.ca !== host.ca) drift.push('the trust file on the host is not the one in the store');
    if (host.record.generation !== undefined && facts.state.generation !== host.record.generation)
      drift.push(`generation ${facts.state.generation} is active, the store knows ${host.record.generation}`);
    const ours = facts.generations.get(facts.state.generation);
    for (const [path, entry] of ours ?? []) {
      const now = facts.files.get(path);
      if (now === undefined || WITHOUT_FILE.includes(entry.kind)) continue;
      const same =
        (entry.kind === 'absent' && now.kind === 'absent') ||
        (entry.kind === 'link' && now.kind === 'link' && now.to === entry.to) ||
        (entry.kind === 'file' && now.kind === 'file' && now.content === entry.content);
      if (!same) drift.push(`${path} was edited by hand`);
    }
    if (
      facts.files.get(`/etc/systemd/system/${SOCKET_UNIT}`)?.kind === 'file' &&
      facts.docker.tlsSocket.active !== 'active'
    )
      drift.push(`${SOCKET_UNIT} does not listen`);
    if (facts.transaction !== undefined) drift.push('a change is under way');
    // What plan and apply would refuse, such as a daemon.json with which dockerd does not start again.
    const { login } = opened.session;
    const nowMs = reach.runtime.now().getTime();
    const problems = preflight({ ...opened, host: spec.name, login, port: spec.port, nowMs });
    return [...drift, ...problems.map(({ message }) => message)];
  } finally {
    await opened.session.close();
  }
}
