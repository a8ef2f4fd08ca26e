/** `doctor` for a host without a port: its sockets, seen through ssh. */

import type { HostFacts } from '../../../core/domain/plan/facts.ts';
import { daemonPorts, localSocketPorts } from '../../../core/domain/plan/plain-tcp.ts';
import { shellQuote, sudoCommand } from '../../../core/domain/quote.ts';
import type { HostSpec } from '../../../core/domain/settings.ts';
import { listWords, plural } from '../../../core/domain/words.ts';
import { gather } from '../../../core/engine/gather.ts';
import type { Reach } from '../../../core/engine/intent.ts';
import { listenerState, socketChecks } from '../../../core/engine/loaded-listener.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { type Diagnosis, verdict } from '../domain/diagnosis.ts';
import { logIn } from '../engine/inside.ts';

export async function examineSockets(spec: HostSpec, reach: Reach): Promise<Diagnosis> {
  const { runtime } = reach;
  const ssh = await logIn(spec, reach);
  if (ssh instanceof DockerTlsError)
    return verdict('ssh', `docker-tls does not get into the host by SSH: ${ssh.message} (${ssh.code})`, ...ssh.hints);
  await using session = ssh;
  const { facts } = await gather(session, runtime);
  const listener = await listenerState({ session, spec, facts }, runtime);
  const checks = await socketChecks({ session, spec }, runtime);
  const bad = checks.find(({ ok }) => !ok);
  const [problem] = [...(listener?.problems ?? []), ...(bad === undefined ? [] : (listener?.signs ?? []))];
  if (problem !== undefined) return verdict('daemon-not-answering', problem.message, ...problem.hints);
  if (bad !== undefined)
    return verdict('daemon-not-answering', `${bad.who}: ${bad.outcome}`, `docker-tls apply ${shellQuote(spec.name)}`);
  const open = openPorts(facts, spec);
  if (open.length > 0)
    return verdict(
      'other',
      `the host is to have no port, and it has ${listWords(open, 4)} open`,
      sudoCommand(session.login, 'ss', '-Hltnp'),
    );
  return verdict('none', `${plural((spec.sockets ?? []).length, 'socket')} answered as the roles say; no port is open`);
}

/** Ports of the daemon by its configuration, and whatever listens where it or docker-tls would. */
function openPorts(facts: HostFacts, { port }: Pick<HostSpec, 'port'>): string[] {
  const known = [...daemonPorts(facts), ...localSocketPorts(facts)];
  const listening = facts.listeners.flatMap((line) => line.trim().split(/\s+/)[3] ?? []);
  const others = listening.filter((address) => address.endsWith(`:${port}`) || address.endsWith(':2375'));
  return [...known, ...others.filter((address) => !known.some((one) => one.includes(address)))];
}
