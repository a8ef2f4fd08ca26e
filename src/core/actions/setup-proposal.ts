/** The answers that `setup` proposes: from flags, facts and the store, without a question. */

import { DockerTlsError } from '../../errors/errors.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { nameProblem } from '../domain/names.ts';
import { hasPort } from '../domain/network-port.ts';
import type { HostFacts } from '../domain/plan/facts.ts';
import { kindOf } from '../domain/plan/host-kind.ts';
import type { HostSpec } from '../domain/settings.ts';
import { plural } from '../domain/words.ts';
import type { OpenedHost } from '../engine/intent.ts';
import { copiesCode } from '../seams/copies.ts';
import type { SetupAnswers, SetupContext } from '../seams/wizard.ts';
import { ownClientName } from '../user.ts';

/** Fails, before a login, with E_NAME or E_USAGE (exit 2) if clients could not dial what they would be given. */
export async function refuseUndialled(spec: HostSpec, options: SetupContext['options']): Promise<void> {
  if (spec.address === undefined && spec.ssh.destination.includes('%')) throw zoned(spec.ssh.destination);
  if (!hasPort(spec)) (await copiesCode())?.refuseWithoutPort(spec.name, options);
}

function zoned(destination: string): DockerTlsError {
  return new DockerTlsError(
    'E_NAME',
    `clients cannot dial ${destination}: a zone is good on one computer only, and docker verifies no address that has one`,
    { hints: ['name what they dial: --address NAME'] },
  );
}

/** A setup without questions; a wizard edits it. */
export function propose(context: SetupContext, first: HostSpec, opened: OpenedHost): SetupAnswers {
  const { options, flags, state, fleet } = context;
  const name = flags.name ?? (isKnown(context, first) ? first.name : proposedName(first, opened.facts, state));
  const client = { name: options.client ?? ownClientName(), requested: options.client !== undefined };
  const { takeOver, rejectOtherClients: rejectOthers } = options;
  return { spec: { ...first, name }, client, file: fleet, takeOver, rejectOthers };
}

/** In the store or the fleet file. */
function isKnown({ state, fleet }: SetupContext, { name }: HostSpec): boolean {
  return state.hosts.has(name) || fleet?.has(name) === true;
}

/** With the docker context that a new host gets unasked. */
export async function withContext(
  context: SetupContext,
  answers: SetupAnswers,
  first: HostSpec,
  { session }: OpenedHost,
): Promise<SetupAnswers> {
  if (isKnown(context, first) || context.options.noContext) return answers;
  const copies = await copiesCode();
  return { ...answers, spec: (await copies?.propose(answers.spec, session.dialled, context)) ?? answers.spec };
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
