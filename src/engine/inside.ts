/** Owns what `doctor` sees of a host over SSH: what setup would know of it, and the daemon's last words. */

import type { Inside } from '../adapters/docker/diagnosis.ts';
import type { HostRecord, StoreState } from '../adapters/store/records.ts';
import { hasOurName } from '../domain/dockerd/drop-in.ts';
import { installedCredentials } from '../domain/plan/facts.ts';
import { judgeFirewall } from '../domain/plan/firewall.ts';
import { kindOf } from '../domain/plan/host-kind.ts';
import { managedExternally, otherStore } from '../domain/plan/other-store.ts';
import { preflight } from '../domain/plan/preflight.ts';
import { type Login, sudoCommand } from '../domain/quote.ts';
import { DockerTlsError, printableLines } from '../errors/errors.ts';
import type { Reach } from './intent.ts';

/** Nothing of it where the host was not asked; `problem` where SSH is not to be had, which is no failure here. */
export type Seen = {
  readonly skewMs?: number;
  readonly inside?: Inside;
  /** Clean. */
  readonly journal?: readonly string[];
  readonly problem?: DockerTlsError;
  readonly login?: Login;
};

export async function lookInside({ runtime, ask }: Reach, state: StoreState, record: HostRecord): Promise<Seen> {
  const { now, signal } = runtime;
  const { name, port } = record;
  try {
    const how = { hostKeyFlag: false, connectTimeoutMs: 5000, ask, signal } as const;
    await using session = await runtime.connect({ ...record.ssh, host: name, ...how });
    const { gather } = await import('./gather.ts');
    const { facts, skewMs } = await gather(session, { now, signal });
    const kind = kindOf(facts);
    const request = { phase: 'journal', script: kind.lastWords, asRoot: true, timeoutMs: 10_000, signal };
    const { stdout } = await session.run(request);
    const { login } = session;
    const { doubt } = judgeFirewall(facts.firewall, port);
    const other = otherStore(facts, name, state);
    const installed = installedCredentials(facts);
    const inside = {
      kind,
      docker: facts.docker.unit.active,
      tlsSocket: facts.docker.tlsSocket.active,
      lingers: facts.linger?.state,
      dropInGone: facts.files.get(facts.places.closed)?.kind === 'file' && !facts.docker.unit.dropIns.some(hasOurName),
      listens: facts.listeners.some((line) => line.trim().split(/\s+/)[3]?.endsWith(`:${port}`)),
      problems: [
        ...(other === undefined ? [] : [managedExternally(name, other)]),
        ...preflight({ host: name, login, facts, skewMs, nowMs: now().getTime(), port }),
      ],
      doubt: doubt && {
        words: doubt.words,
        commands: doubt.hints.map((hint) => sudoCommand(login, ...hint.split(' '))),
      },
      serverCert: installed?.cert,
      trust: installed?.ca,
    };
    return { skewMs, login, inside, journal: printableLines(stdout.toString('utf8'), 8) };
  } catch (error) {
    if (error instanceof DockerTlsError && error.exit !== 130) return { problem: error };
    throw error;
  }
}
