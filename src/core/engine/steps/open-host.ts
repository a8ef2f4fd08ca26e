/** Connection to a host and its facts, before planning. Changes nothing. */

import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { destinationWords } from '../../domain/destination.ts';
import { namingKnown } from '../../domain/hosts/specs.ts';
import { proposeSans } from '../../domain/pki/san.ts';
import { shellQuote } from '../../domain/quote.ts';
import { type HostSpec, SSH_SETTINGS, type SshSpec } from '../../domain/settings.ts';
import { RUN_MARKS } from '../../domain/store-settings.ts';
import type { HostProgress, HostSession, SshOptions } from '../../runtime.ts';
import { gather } from '../gather.ts';
import type { Base, OpenedHost, Reach } from '../intent.ts';

/** Interfaces whose addresses no client dials: Docker's and other virtual bridges. */
const VIRTUAL = /^(docker\d*|br-|veth|virbr|cni|flannel|cali|lxc|podman)/;

const SSH_KEYS: readonly string[] = ['destination', ...RUN_MARKS, ...Object.keys(SSH_SETTINGS)];

/** The settings alone: a record keeps unknown keys, and one of a colleague must not become another option of the connection. */
function sshSettings(ssh: SshSpec): SshSpec {
  return Object.fromEntries(Object.entries(ssh).filter(([key]) => SSH_KEYS.includes(key))) as SshSpec;
}

/** SSH options for a host of the spec. */
export function sshOptions(spec: HostSpec, { runtime, ask, ...reach }: Reach): SshOptions {
  const sudoPassword = reach.sudoPasswords?.get(spec.name) ?? reach.sudoPassword;
  return {
    ...sshSettings(spec.ssh),
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
  return factsOver(await reach.runtime.connect(sshOptions(spec, reach)), spec, reach, progress, changes);
}

/** Like openHost, for a host that may be new: picks the login user's rootless daemon if no other daemon runs there. */
export async function findHost(
  spec: HostSpec,
  reach: Reach,
  progress: HostProgress,
  changes = false,
): Promise<OpenedHost> {
  progress.phase('connect');
  const options = sshOptions(spec, reach);
  const session = await reach.runtime.connect(options);
  const alone = !spec.ssh.rootless && session.user !== 'root' && (await hasOnlyOwnDocker(session, spec.name, reach));
  if (!alone) return factsOver(session, spec, reach, progress, changes);
  await session.close();
  return factsOver(await reach.runtime.connect({ ...options, rootless: true }), spec, reach, progress, changes);
}

/** Shell test: the login user's rootless daemon is active or enabled. */
const OWN_DOCKER =
  'export XDG_RUNTIME_DIR="/run/user/$(id -u)"; { systemctl --user -q is-active docker.service || systemctl --user -q is-enabled docker.service; } 2>/dev/null';

async function hasOnlyOwnDocker(session: HostSession, host: string, { runtime }: Reach): Promise<boolean> {
  const script = [
    'export XDG_RUNTIME_DIR="/run/user/$(id -u)"',
    // Without lingering it starts only with this login.
    'case $(systemctl --user is-active docker.service) in active | activating) ;; *)',
    // A stopped daemon counts if its user has enabled it and root has not enabled the system's.
    'systemctl --user -q is-enabled docker.service 2>/dev/null && ! systemctl -q is-enabled docker.service docker.socket 2>/dev/null ;; esac &&',
    '! systemctl -q is-active docker.service docker.socket && echo own',
  ].join('\n');
  const request = { phase: 'find', script, asRoot: false, timeoutMs: 20_000, signal: runtime.signal };
  const { stdout } = await closingOnError(session, host, () => session.run(request));
  return stdout.toString('utf8') === 'own\n';
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

/** Adds a --rootless hint to a sudo failure if the login user has a rootless daemon. */
async function namingOwnDocker(error: unknown, session: HostSession, { ssh }: HostSpec): Promise<unknown> {
  if (!(error instanceof DockerTlsError) || !NO_SUDO.includes(error.code) || ssh.rootless) return error;
  const request = { phase: 'find', script: `${OWN_DOCKER} && echo own`, asRoot: false, timeoutMs: 20_000 };
  const found = await session.run(request).catch(() => undefined);
  if (found?.stdout.toString('utf8') !== 'own\n') return error;
  const destination = destinationWords({ ...ssh, user: session.user });
  return error.hinting([
    ...error.hints,
    `for the rootless Docker of ${session.user}: docker-tls setup ${shellQuote(destination)} --rootless`,
  ]);
}

/** Gathers facts over an open session. */
export async function factsOf(
  session: HostSession,
  { runtime: { now, signal } }: Reach,
  progress: HostProgress,
  changes = false,
): Promise<OpenedHost> {
  progress.phase('facts');
  const gathering = gather(session, { now, signal });
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
