/** Proposals of `setup`, and the answers of a person who edits them; what a flag gave is not asked. */

import { join } from 'node:path';
import { DockerTlsError, printable } from '../../errors/errors.ts';
import { readContext } from '../adapters/docker/contexts.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { dockerHost } from '../domain/destination.ts';
import { contextName, type HostFlags } from '../domain/fleet/specs.ts';
import { contextNameOf } from '../domain/names.ts';
import * as questions from '../domain/plan/setup-questions.ts';
import { type CaSpec, completeHost, type HostSettings, type HostSpec } from '../domain/settings.ts';
import type { OpenedHost } from '../engine/intent.ts';
import { wayProblem } from '../engine/reachability.ts';
import { wayTo } from '../engine/through.ts';
import { dockerConfigDirectory, ownClientName } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { type FleetFile, fleetFileAt } from './fleet-file.ts';
import type { RunOptions } from './run.ts';

/** What the flags of `setup` say, besides what flags.ts reads. */
export type SetupOptions = RunOptions & {
  readonly name?: string;
  readonly acceptCa?: string;
  readonly keyType?: CaSpec['keyType'];
  readonly days?: number;
  readonly client?: string;
  readonly context?: string;
  readonly noContext: boolean;
  readonly use: boolean;
  readonly configDirectory: boolean;
  readonly takeOver: boolean;
  readonly rejectOtherClients: boolean;
};

/** What was asked for, and what it meets here. */
export type SetupContext = ActionContext & {
  readonly options: SetupOptions;
  readonly flags: HostFlags;
  readonly fleet: FleetFile | undefined;
  readonly state: StoreState;
};

/** What a setup is about, besides the host's own state: what flags and facts propose, and what was answered. */
export type Answers = {
  readonly spec: HostSpec;
  readonly client: { readonly name: string; readonly requested: boolean };
  /** The docker context to make; undefined: none. */
  readonly context: string | undefined;
  /** The fleet file that gets the host. */
  readonly file: FleetFile | undefined;
};

/** `problem`: why the answer before did not lead to a host. */
export async function askDestination({ prompts }: SetupContext, problem?: DockerTlsError): Promise<string> {
  if (prompts.interactive && problem === undefined)
    await prompts.show(
      ': mutual TLS for the Docker daemon of a host.\nNothing changes before you say yes. Ctrl-C leaves everything as it was.\n',
      'docker-tls setup',
    );
  return prompts.input(questions.hostQuestion(problem));
}

/** What a setup does without questions; the wizard shows the same, and `e` edits it. */
export async function propose(context: SetupContext, first: HostSpec, opened: OpenedHost): Promise<Answers> {
  const { options, flags, state, fleet } = context;
  const known = state.hosts.has(first.name) || fleet?.has(first.name) === true;
  const name = flags.name ?? (known ? first.name : questions.proposedName(first, opened.facts, state));
  const spec = { ...first, name };
  const client = { name: options.client ?? ownClientName(), requested: options.client !== undefined };
  const requested = options.noContext ? undefined : contextName(spec);
  // Docker dials the address of a context itself: where only SSH reaches the host, that never answers.
  const wanted = requested === undefined && !known && !options.noContext && spec.reach !== 'ssh';
  return { spec, client, context: wanted ? await freeContext(spec, opened, context) : requested, file: fleet };
}

/** The context of the host's name, unless another one has that name, or docker's files here cannot be read: none was asked for. */
async function freeContext(
  { name, address, port }: HostSpec,
  { session }: OpenedHost,
  { runtime }: SetupContext,
): Promise<string | undefined> {
  const context = contextNameOf(name);
  const endpoint = dockerHost(address ?? session.dialled, port);
  try {
    const found = await readContext({ name: context, dockerConfig: dockerConfigDirectory(runtime) });
    return found === undefined || (found.ours && found.host === endpoint) ? context : undefined;
  } catch (error) {
    if (error instanceof DockerTlsError) return undefined;
    throw error;
  }
}

/** Asks for each answer that no flag gave, with the present one as the default. */
export async function editAnswers(context: SetupContext, before: Answers, opened: OpenedHost): Promise<Answers> {
  const { options, flags, prompts, state } = context;
  const name = flags.name ?? (await prompts.input(questions.nameQuestion(before.spec.name, state)));
  const address = flags.address ?? (await askAddress(context, { ...before.spec, name }, opened));
  const proposed = opened.proposed(address).map(({ value }) => value);
  const more = { sans: `In the certificate already: ${printable(proposed.join(', '))}.` };
  const spec = withAddress({ ...before.spec, name, ...(await askSettings(context, more)) }, address, opened, context);
  const client =
    options.client === undefined
      ? { name: await prompts.input(questions.clientQuestion(before.client.name)), requested: true }
      : before.client;
  const settled = options.context !== undefined || options.noContext || options.use || options.configDirectory;
  const docker = settled ? before.context : await prompts.input(questions.contextQuestion(spec.name, before.context));
  const file = before.file ?? (await askFleet(context));
  return { spec: { ...spec, context: options.context }, client, context: docker === '-' ? undefined : docker, file };
}

/** The settings with a question that no flag gave, but for the address; `more`: what is known about one. An empty answer is the default. */
async function askSettings(
  { flags, prompts }: SetupContext,
  more: Readonly<Partial<Record<string, string>>>,
): Promise<Partial<HostSettings>> {
  const answers: Record<string, unknown> = {};
  for (const field of questions.ASKED) {
    if (field === 'address' || flags[field] !== undefined) continue;
    const { read, validate, ...question } = questions.settingQuestion(field, more[field]);
    const isNone = (text: string) => text.trim() === '';
    const answer = await prompts.input({ ...question, validate: (text) => isNone(text) || validate(text) });
    answers[field] = isNone(answer) ? undefined : read(answer);
  }
  return answers;
}

/** The address that clients dial, which can be reached. */
export async function askAddress(
  { prompts, runtime }: SetupContext,
  spec: HostSpec,
  { session }: OpenedHost,
): Promise<string> {
  const { probe } = wayTo(spec, runtime.probe, session);
  const { validate, read, ...question } = questions.settingQuestion('address');
  const answer = await prompts.input({
    ...question,
    default: spec.address ?? session.dialled,
    validate: async (text) => {
      const readable = validate(text);
      if (readable !== true) return readable;
      const problem = await wayProblem(probe, spec.name, { address: read(text), port: spec.port });
      return problem === undefined ? true : [problem.message, ...problem.hints].join('\n');
    },
  });
  return read(answer);
}

/** The proposal is no wish: it goes along when ssh dials another address. */
export function withAddress(
  spec: HostSpec,
  address: string,
  { session }: OpenedHost,
  { flags }: Pick<SetupContext, 'flags'>,
): HostSpec {
  const own = address === session.dialled && flags.address === undefined ? undefined : address;
  return completeHost({ ...spec, address: own });
}

/** The fleet file in this directory, or a new one; undefined where it is not wanted. One that cannot be read is left alone. */
async function askFleet({ prompts, runtime }: SetupContext): Promise<FleetFile | undefined> {
  const file = await fleetFileAt(join(runtime.cwd, 'fleet.yaml'), runtime).catch(() => undefined);
  if (file === undefined) return undefined;
  return (await prompts.confirm(questions.fleetQuestion(file.ca !== undefined))) ? file : undefined;
}
