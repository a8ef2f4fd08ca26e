/** Connection to a host and its facts, before planning. Changes nothing. */

import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { namingKnown } from '../../domain/hosts/specs.ts';
import { proposeSans } from '../../domain/pki/san.ts';
import { unknownKind } from '../../domain/plan/host-kind.ts';
import { type HostSpec, SSH_SETTINGS, type SshSpec } from '../../domain/settings.ts';
import { RUN_MARKS } from '../../domain/store-settings.ts';
import type { HostProgress, HostSession, SshOptions } from '../../runtime.ts';
import { noFeature } from '../../seams/seam.ts';
import { gather } from '../gather.ts';
import type { Base, OpenedHost, Reach } from '../intent.ts';
import { factsScript, ownDaemons } from '../loaded-kinds.ts';

/** Interfaces whose addresses no client dials: Docker's and other virtual bridges. */
const VIRTUAL = /^(docker\d*|br-|veth|virbr|cni|flannel|cali|lxc|podman)/;

const SSH_KEYS: readonly string[] = ['destination', ...RUN_MARKS, ...Object.keys(SSH_SETTINGS)];

/** Settings of features that a login must not leave out: it would reach another machine, or root's Docker in place of the user's. */
const NEEDED = ['rootless', 'configFile', 'transport'] as const;

/**
 * The settings alone: a record keeps unknown keys, and one of a colleague must not become another option of the connection. Fails with
 * E_HOST_KIND, E_NO_FEATURE (exit 4) if this build does not know one that is needed.
 */
export function sshSettings({ name, ssh }: Pick<HostSpec, 'name' | 'ssh'>, keys = SSH_KEYS): SshSpec {
  // ssh2 is what a build without other transports uses anyway.
  const isMet = (key: (typeof NEEDED)[number]) => !ssh[key] || (key === 'transport' && ssh[key] === 'ssh2');
  const lost = NEEDED.find((key) => !isMet(key) && !keys.includes(key));
  if (lost === 'rootless') throw unknownKind(lost, name);
  if (lost !== undefined)
    throw noFeature(name, `its record has the SSH setting ${lost}, which this build of docker-tls does not know`);
  return Object.fromEntries(Object.entries(ssh).filter(([key]) => keys.includes(key))) as SshSpec;
}

/** SSH options for a host of the spec. */
export function sshOptions(spec: HostSpec, { runtime, ask, ...reach }: Reach): SshOptions {
  const sudoPassword = reach.sudoPasswords?.get(spec.name) ?? reach.sudoPassword;
  return {
    ...sshSettings(spec),
    host: spec.name,
    tunnels: spec.reach === 'ssh',
    sudoPassword,
    ask,
    signal: runtime.signal,
  };
}

/** Connects and gathers facts. The session stays open. `changes`: a change follows, so its exec starts together with theirs. */
export async function openHost(
  spec: HostSpec,
  reach: Reach,
  progress: HostProgress,
  changes = false,
): Promise<OpenedHost> {
  progress.phase('connect');
  return factsOver(await connected(sshOptions(spec, reach), reach), spec, reach, progress, changes);
}

/** Kinds of hosts load during the login. */
async function connected(options: SshOptions, { runtime }: Reach): Promise<HostSession> {
  const [session] = await Promise.all([runtime.connect(options), factsScript()]);
  return session;
}

/** Like openHost, for a host that may be new: picks the login user's own daemon if no other daemon runs there. */
export async function findHost(
  spec: HostSpec,
  reach: Reach,
  progress: HostProgress,
  changes = false,
): Promise<OpenedHost> {
  progress.phase('connect');
  const options = sshOptions(spec, reach);
  const session = await connected(options, reach);
  const { signal } = reach.runtime;
  const own = spec.ssh.rootless || session.user === 'root' ? undefined : await ownDaemons();
  const alone = own && (await closingOnError(session, spec.name, () => own.isAlone(session, signal)));
  if (!alone) return factsOver(session, spec, reach, progress, changes);
  await session.close();
  return factsOver(await reach.runtime.connect({ ...options, rootless: true }), spec, reach, progress, changes);
}

function factsOver(
  session: HostSession,
  spec: HostSpec,
  reach: Reach,
  progress: HostProgress,
  changes: boolean,
): Promise<OpenedHost> {
  return closingOnError(session, spec.name, () =>
    factsOf(session, reach, progress, changes).catch(async (error: unknown) => {
      throw await namingOwnDocker(error, session, spec);
    }),
  );
}

const NO_SUDO: readonly string[] = ['E_SUDO_PASSWORD', 'E_SUDO_REFUSED', 'E_SUDO_MISSING'] satisfies ErrorCode[];

/** Adds a hint to a sudo failure if the login user has a daemon of their own. */
async function namingOwnDocker(error: unknown, session: HostSession, { ssh }: HostSpec): Promise<unknown> {
  if (!(error instanceof DockerTlsError) || !NO_SUDO.includes(error.code) || ssh.rootless) return error;
  const more = (await (await ownDaemons())?.hints(session, ssh)) ?? [];
  return more.length === 0 ? error : error.hinting([...error.hints, ...more]);
}

/** Gathers facts over an open session. */
export async function factsOf(
  session: HostSession,
  { runtime: { now, signal } }: Reach,
  progress: HostProgress,
  changes = false,
): Promise<OpenedHost> {
  progress.phase('facts');
  const script = await factsScript();
  const gathering = gather(session, { script, now, signal });
  // Starts after the exec for the facts, so that they do not wait for it.
  if (changes) session.prepare?.();
  const { facts, skewMs } = await gathering;
  const addresses = facts.addresses.filter((entry) => !VIRTUAL.test(entry.interface)).map((entry) => entry.address);
  return {
    session,
    facts,
    skewMs,
    proposed: (dialled) => proposeSans({ dialled, hostname: facts.hostname, fqdn: facts.fqdn, addresses }),
  };
}

export async function closingOnError<T>(session: HostSession, host: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await session.close();
    throw error instanceof DockerTlsError ? error.orAt(host) : error;
  }
}

/** Like openHost, for a host that may be known under another name: the error lists the known names. */
export function openKnown(
  spec: HostSpec,
  { state, wanted }: Pick<Base, 'state' | 'wanted'>,
  reach: Reach,
  progress: HostProgress,
  changes = false,
): Promise<OpenedHost> {
  return openHost(spec, reach, progress, changes).catch((error: unknown) => {
    throw namingKnown(error, spec.name, state, wanted.target.kind === 'generation');
  });
}
