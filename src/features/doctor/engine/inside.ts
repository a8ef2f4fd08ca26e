/** Diagnosis of a host over SSH for `doctor`: facts as for setup, and the daemon's last log lines. */

import type { StoreState } from '../../../core/adapters/store/records.ts';
import { parseCommandLine } from '../../../core/domain/dockerd/command-line.ts';
import { hasOurName } from '../../../core/domain/dockerd/drop-in.ts';
import { renderUnitGuard, settingPatterns } from '../../../core/domain/dockerd/json-guard.ts';
import { effectiveList } from '../../../core/domain/dockerd/unit.ts';
import { TLS_KEYS, tlsSettings, viewDaemon } from '../../../core/domain/plan/daemon-view.ts';
import { fileText, type HostFacts, installedCredentials } from '../../../core/domain/plan/facts.ts';
import { judgeFirewall } from '../../../core/domain/plan/firewall.ts';
import { kindOf } from '../../../core/domain/plan/host-kind.ts';
import { managedExternally, otherStore } from '../../../core/domain/plan/other-store.ts';
import { preflight } from '../../../core/domain/plan/preflight.ts';
import { type Login, sudoCommand } from '../../../core/domain/quote.ts';
import type { HostSpec } from '../../../core/domain/settings.ts';
import { gather } from '../../../core/engine/gather.ts';
import type { Reach } from '../../../core/engine/intent.ts';
import { listenerState } from '../../../core/engine/loaded-listener.ts';
import { closingOnError, sshOptions } from '../../../core/engine/steps/open-host.ts';
import { alongWay, type Way } from '../../../core/engine/through.ts';
import type { HostSession, Runtime } from '../../../core/runtime.ts';
import { DockerTlsError, failureOf, printableLines } from '../../../errors/errors.ts';
import type { Inside } from '../domain/diagnosis.ts';

/** Empty without a check over SSH. `problem`: SSH is not available, and `doctor` does not count that as a failure. */
export type InsideView = {
  readonly skewMs?: number;
  readonly inside?: Inside;
  /** Without control characters. */
  readonly journal?: readonly string[];
  readonly problem?: DockerTlsError;
  readonly login?: Login;
};

/** A session that runs scripts as root, as all other commands need; or the error that prevents it. */
export async function logIn(spec: HostSpec, reach: Reach): Promise<HostSession | DockerTlsError> {
  try {
    const how = { hostKeyFlag: false, connectTimeoutMs: 5000 } as const;
    const session = await reach.runtime.connect({ ...sshOptions(spec, reach), ...how });
    const { signal } = reach.runtime;
    const request = { phase: 'login', script: 'true', asRoot: true, timeoutMs: 10_000, signal };
    await closingOnError(session, spec.name, () => session.run(request));
    return session;
  } catch (error) {
    return problemOf(error);
  }
}

/** Without `more`, checks only the login. Closes the session. */
export async function lookInside(
  ssh: HostSession | DockerTlsError,
  state: StoreState,
  spec: HostSpec,
  more: boolean,
  { now, signal }: Runtime,
): Promise<InsideView> {
  if (ssh instanceof DockerTlsError) return { problem: ssh };
  const { name, port } = spec;
  await using session = ssh;
  const { login } = session;
  if (!more) return { login };
  try {
    const { facts, skewMs } = await gather(session, { now, signal });
    const kind = kindOf(facts);
    const request = { phase: 'journal', script: kind.lastWords, asRoot: true, timeoutMs: 10_000, signal };
    const { stdout } = await session.run(request);
    const listener = await listenerState({ session, spec, facts }, { signal });
    const { doubt } = judgeFirewall(facts, port);
    const other = otherStore(facts, name, state);
    const installed = installedCredentials(facts);
    const inside = {
      kind,
      docker: facts.docker.unit.active,
      tlsSocket: facts.docker.tlsSocket.active,
      lingers: facts.linger?.state,
      dropInGone: facts.files.get(facts.places.closed)?.kind === 'file' && !facts.docker.unit.dropIns.some(hasOurName),
      jsonRefused: refusedJson(facts),
      listener,
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
    return { problem: problemOf(error), login };
  }
}

/** Why dockerd does not start with this daemon.json and our drop-in, as after configuration management has restored its own file. */
export function refusedJson(facts: HostFacts): string | undefined {
  const { configName, json, flags } = viewDaemon(facts);
  const ours = facts.docker.unit.dropIns.filter(hasOurName).at(-1);
  if (ours === undefined) return undefined;
  const text = fileText(facts, ours) ?? '';
  if (unitGuardRefuses(text, configName, fileText(facts, configName) ?? '', tlsSettings(facts.places).tlscacert))
    return `${configName} no longer has the TLS settings of docker-tls, and the drop-in of docker-tls does not start the daemon without them`;
  const line = effectiveList([{ path: ours, text }], 'Service', 'ExecStart').at(-1);
  const added = parseCommandLine(line?.value ?? '', () => undefined)?.flags.filter(
    ({ name }) => !flags.some((flag) => flag.name === name),
  );
  const twice = ['hosts', ...TLS_KEYS].find(
    (key) => key in json.values && added?.some(({ name }) => name === (key === 'hosts' ? '--host' : `--${key}`)),
  );
  return (
    twice &&
    `"${twice}" in ${configName} is also a flag in the drop-in of docker-tls: the daemon does not start with both`
  );
}

function problemOf(error: unknown): DockerTlsError {
  const problem = failureOf(error);
  if (problem.exit === 130) throw problem;
  return problem;
}

/** Like alongWay, but direct without a working route through SSH. */
export async function alongAnyWay<T>(
  spec: HostSpec | undefined,
  reach: Reach,
  work: (way: Way) => Promise<T>,
): Promise<T> {
  const direct = () => work({ probe: reach.runtime.probe });
  if (spec?.reach !== 'ssh') return direct();
  return alongWay(spec, reach, work).catch((error: unknown) => {
    if (failureOf(error).exit === 130) throw error;
    return direct();
  });
}

/** Whether the guard in our drop-in prevents dockerd from starting with this daemon.json. */
function unitGuardRefuses(dropIn: string, configFile: string, json: string, trust: string): boolean {
  const words = json.replace(/\s/g, '');
  return (
    dropIn.includes(renderUnitGuard(configFile, trust)) && !settingPatterns(trust).every((word) => words.includes(word))
  );
}
