/** The answers that `setup` proposes: from flags, facts and the store, without a question. */

import { DockerTlsError } from '../../errors/errors.ts';
import { readContext } from '../adapters/docker/contexts.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { dockerHost } from '../domain/destination.ts';
import { hostContextName } from '../domain/hosts/specs.ts';
import { contextNameOf, nameProblem } from '../domain/names.ts';
import { hasPort } from '../domain/network-port.ts';
import type { HostFacts } from '../domain/plan/facts.ts';
import { kindOf } from '../domain/plan/host-kind.ts';
import type { HostSpec } from '../domain/settings.ts';
import { plural } from '../domain/words.ts';
import type { OpenedHost } from '../engine/intent.ts';
import type { SetupAnswers, SetupContext } from '../seams/wizard.ts';
import { dockerConfigDirectory, ownClientName } from '../user.ts';

/** Whether an option requests a docker context. */
export function wantsContext({ context, use, configDirectory }: SetupContext['options']): boolean {
  return context !== undefined || use || configDirectory;
}

/** Fails, before a login, with E_NAME or E_USAGE (exit 2) if clients could not dial what they would be given. */
export function refuseUndialled(spec: HostSpec, options: SetupContext['options']): void {
  if (spec.address === undefined && spec.ssh.destination.includes('%')) throw zoned(spec.ssh.destination);
  if (hasPort(spec) || !wantsContext(options)) return;
  throw new DockerTlsError('E_USAGE', 'a docker context needs a port, and --listen none opens none', {
    where: spec.name,
    hints: ['leave out --context, --use and --config-directory'],
  });
}

function zoned(destination: string): DockerTlsError {
  return new DockerTlsError(
    'E_NAME',
    `clients cannot dial ${destination}: a zone is good on one computer only, and docker verifies no address that has one`,
    { hints: ['name what they dial: --address NAME'] },
  );
}

/** A setup without questions; a wizard edits it. */
export async function propose(context: SetupContext, first: HostSpec, opened: OpenedHost): Promise<SetupAnswers> {
  const { options, flags, state, fleet } = context;
  const known = state.hosts.has(first.name) || fleet?.has(first.name) === true;
  const name = flags.name ?? (known ? first.name : proposedName(first, opened.facts, state));
  const spec = { ...first, name };
  const client = { name: options.client ?? ownClientName(), requested: options.client !== undefined };
  const requested = options.noContext ? undefined : hostContextName(spec);
  // Docker dials a context's address directly, so a context is useless for a host that only SSH reaches, or nothing.
  const dialled = spec.reach !== 'ssh' && hasPort(spec);
  const wanted = requested === undefined && !known && !options.noContext && dialled;
  const { takeOver, rejectOtherClients: rejectOthers } = options;
  const docker = wanted ? await freeContext(spec, opened, context) : requested;
  return { spec, client, context: docker, file: fleet, takeOver, rejectOthers };
}

/**
 * The context name for the host. Undefined if another context has it or docker's files are unreadable, because the user requested no
 * context.
 */
async function freeContext(
  { name, address, port }: HostSpec,
  { session }: OpenedHost,
  { runtime, progress }: SetupContext,
): Promise<string | undefined> {
  const context = contextNameOf(name);
  const endpoint = dockerHost(address ?? session.dialled, port);
  try {
    const found = await readContext({ name: context, dockerConfig: dockerConfigDirectory(runtime) });
    if (found === undefined || (found.ours && found.host === endpoint)) return context;
    const leads = found.ours ? `points to ${found.host ?? 'no host'}` : 'was not made by docker-tls';
    progress.note(
      `the docker context ${context} ${leads}, and stays as it is: no context is made; with another name: --context NAME`,
    );
    return undefined;
  } catch (error) {
    if (error instanceof DockerTlsError) return undefined;
    throw error;
  }
}

/** The host's reported name if ssh dialled an address and the name is free. */
export function proposedName(
  { name, ssh: { destination } }: HostSpec,
  { hostname }: Pick<HostFacts, 'hostname'>,
  { hosts }: Pick<StoreState, 'hosts'>,
): string {
  const own = hostname.split('.')[0] ?? '';
  const dialledByName = /[A-Za-z]/.test(destination) && !destination.includes(':');
  const usable = own !== 'localhost' && nameProblem(own) === undefined && !hosts.has(own);
  return usable && (!dialledByName || destination === 'local') ? own : name;
}

/** One-line description of the host. */
export function whatThisIs(facts: HostFacts): string {
  const count = facts.docker.containers.length;
  return `${facts.os}, ${kindOf(facts).engine.title} ${facts.docker.version}, ${count === 0 ? 'no container running' : `${plural(count, 'container')} running`}`;
}
