/** Differences between a host and the store, in words, from its facts and from a probe. Pure. */

import type { DockerTlsError } from '../../../errors/errors.ts';
import type { StoredHost } from '../../adapters/store/records.ts';
import type { ProbeOutcome } from '../../runtime.ts';
import { certificateDrift } from '../trust/server.ts';
import { type HostFacts, installedCredentials } from './facts.ts';
import { isAsLeft, isFileKind } from './file-change.ts';
import { kindOf } from './host-kind.ts';
import { earlierChange } from './plan-warnings.ts';

/** `problems`: errors that plan and apply would report, such as a daemon.json that prevents dockerd from starting. */
export function factsDrift(facts: HostFacts, host: StoredHost, problems: readonly DockerTlsError[]): string[] {
  const { state, docker, files, places } = facts;
  if (state === undefined) return ['docker-tls has not changed this host, or it was restored'];
  // During a change, the host's final state is unknown.
  const lock = problems.find(({ code }) => code === 'E_HOST_LOCKED')?.message;
  if (lock !== undefined) return [lock];
  if (facts.transaction !== undefined) return [...problems.map(({ message }) => message), ...earlierChange(facts)];
  const drift: string[] = [];
  const credentials = installedCredentials(facts);
  const installed = certificateDrift(credentials?.cert ?? '', host.serverCert, 'has');
  if (installed !== undefined) drift.push(installed);
  if (credentials?.ca !== host.ca) drift.push('the trust file on the host is not the one in the store');
  const { generation } = host.record;
  if (generation !== undefined && state.generation !== generation)
    drift.push(`generation ${state.generation} is active, the store knows ${generation}`);
  for (const [path, entry] of facts.generations.get(state.generation) ?? []) {
    const now = files.get(path);
    if (now !== undefined && isFileKind(entry.kind) && !isAsLeft(entry, now))
      drift.push(
        `${path} ${now.kind === 'absent' ? 'is gone' : now.kind === 'other' ? `is ${now.what} now` : 'was edited by hand'}`,
      );
  }
  if (files.get(places.socket)?.kind === 'file' && docker.tlsSocket.active !== 'active')
    drift.push(`${kindOf(facts).sockets.tls} does not listen`);
  return [...drift, ...problems.map(({ message }) => message)];
}

/** `asClient`: the probe used a client's credentials. */
export function probeDrift(outcome: ProbeOutcome, serverCert: string, asClient: boolean): string[] {
  const served = certificateDrift(outcome.chain, serverCert, 'serves');
  const drift = served === undefined ? [] : [served];
  if (outcome.kind === 'accepted') return asClient ? drift : [...drift, 'accepts clients without a certificate'];
  // If the host accepts no client of this computer, a rejection is correct.
  const right = !asClient && outcome.cause === 'client-refused';
  return right ? drift : [...drift, `${outcome.cause}: ${outcome.reason}`];
}
