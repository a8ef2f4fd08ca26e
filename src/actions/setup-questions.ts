/** Owns the questions of `setup` and its proposals; what a flag gave is not asked. */

import { join } from 'node:path';
import { readContext } from '../adapters/docker/contexts.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { dockerHost, parseDestination } from '../domain/destination.ts';
import type { HostFlags } from '../domain/fleet/specs.ts';
import { contextName } from '../domain/fleet/specs.ts';
import { contextNameOf, nameProblem } from '../domain/names.ts';
import { optionFlag } from '../domain/option-flag.ts';
import { kindOf } from '../domain/plan/host-kind.ts';
import {
  type CaSpec,
  completeHost,
  fleetKey,
  HOST_SETTINGS,
  type HostSettings,
  type HostSpec,
  type Setting,
} from '../domain/settings.ts';
import { plural } from '../domain/words.ts';
import type { OpenedHost } from '../engine/intent.ts';
import { wayProblem } from '../engine/reachability.ts';
import { type Way, wayTo } from '../engine/through.ts';
import { DockerTlsError, printable } from '../errors/errors.ts';
import type { Runtime } from '../runtime.ts';
import { dockerConfigDirectory, ownClientName } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { readSetting } from './flags.ts';
import { type FleetFile, fleetFileAt } from './fleet-file.ts';
import type { Prompts } from './prompts.ts';
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

export type SetupContext = ActionContext & { readonly options: SetupOptions };

/** `problem`: why the answer before did not lead to a host. */
export async function askDestination({ prompts }: SetupContext, problem?: DockerTlsError): Promise<string> {
  if (prompts.interactive && problem === undefined)
    await prompts.show(
      ': mutual TLS for the Docker daemon of a host.\nNothing changes before you say yes. Ctrl-C leaves everything as it was.\n',
      'docker-tls setup',
    );
  return prompts.input({
    explain:
      problem === undefined
        ? 'Which host? As ssh reaches it: root@build-1.example.org, admin@10.0.0.7:2222, a name of ~/.ssh/config; or local.'
        : [problem.message, ...problem.hints].join('\n'),
    message: 'Host:',
    flag: 'HOST',
    validate: refusal((text) => parseDestination(text.trim())),
  });
}

/** What was found, in one line: whom we are talking to. */
export function whatThisIs({ facts }: OpenedHost): string {
  const count = facts.docker.containers.length;
  return `${facts.os}, ${kindOf(facts).engine.title} ${facts.docker.version}, ${count === 0 ? 'no container running' : `${plural(count, 'container')} running`}`;
}

/** What a setup is about, besides the host's own state: what flags and facts propose, and what was answered. */
export type Answers = {
  readonly spec: HostSpec;
  readonly client: { readonly name: string; readonly requested: boolean };
  /** The docker context to make; undefined: none. */
  readonly context: string | undefined;
  /** The fleet file that gets the host. */
  readonly file: FleetFile | undefined;
};

/** What a setup does without questions; the wizard shows the same, and `e` edits it. */
export async function propose(
  { options, runtime }: SetupContext,
  flags: HostFlags,
  first: HostSpec,
  opened: OpenedHost,
  { state, fleet }: { readonly state: StoreState; readonly fleet: FleetFile | undefined },
): Promise<Answers> {
  const known = state.hosts.has(first.name) || fleet?.has(first.name) === true;
  const name = flags.name ?? (known ? first.name : proposedName(first, opened, state));
  const spec = { ...first, name };
  const client = { name: options.client ?? ownClientName(), requested: options.client !== undefined };
  const requested = options.noContext ? undefined : contextName(spec);
  // Docker dials the address of a context itself: where only SSH reaches the host, that never answers.
  const wanted = requested === undefined && !known && !options.noContext && spec.reach !== 'ssh';
  const context = wanted ? await freeContext(spec, opened, runtime) : requested;
  return { spec, client, context, file: fleet };
}

/** The context of the host's name, unless another one has that name, or docker's files here cannot be read: none was asked for. */
async function freeContext(
  { name, address, port }: HostSpec,
  { session }: OpenedHost,
  runtime: Runtime,
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
export async function editAnswers(
  context: SetupContext,
  flags: HostFlags,
  { spec: before, ...answers }: Answers,
  opened: OpenedHost,
  state: StoreState,
): Promise<Answers> {
  const { options, prompts } = context;
  const spec = await askHost(context, flags, before, opened, state);
  const client = options.client === undefined ? await askClient(context, answers.client.name) : answers.client;
  const asked = options.context !== undefined || options.noContext || options.use || options.configDirectory;
  const docker = asked
    ? answers.context
    : await prompts.input({
        explain: `Docker reaches the host by a context. Without one (-): docker-tls env ${spec.name}`,
        message: 'Docker context:',
        default: answers.context === undefined ? '-' : contextNameOf(spec.name),
        flag: '--context',
        validate: (text) => text === '-' || refusal((word) => readSetting(HOST_SETTINGS.context, word, ''))(text),
      });
  const file = answers.file ?? (await askFleet(context));
  return { spec: { ...spec, context: options.context }, client, context: docker === '-' ? undefined : docker, file };
}

/** The questions about a new host. */
async function askHost(
  { prompts, runtime }: SetupContext,
  flags: HostFlags,
  spec: HostSpec,
  opened: OpenedHost,
  state: StoreState,
): Promise<HostSpec> {
  const name =
    flags.name ??
    (await prompts.input({
      explain: 'Name for this host (used by docker-tls status, env, verify …)',
      message: 'Name:',
      default: spec.name,
      flag: '--name',
      validate: (text) => nameProblem(text) ?? (state.hosts.has(text) ? 'There is a host of that name.' : true),
    }));
  const { dialled } = opened.session;
  const address =
    flags.address ??
    (await askAddress(prompts, wayTo(spec, runtime.probe, opened.session), { ...spec, name }, dialled));
  const proposed = opened.proposed(address).map(({ value }) => value);
  const already = `In the certificate already: ${printable(proposed.join(', '))}.`;
  const sans = flags.sans ?? (await askSetting(prompts, 'sans', { more: already }));
  return withAddress({ ...spec, name, sans }, address, opened, flags);
}

/** The address that clients dial, which can be reached along that way. */
export async function askAddress(
  prompts: Prompts,
  { probe }: Way,
  { name, address, port }: HostSpec,
  dialled: string,
): Promise<string> {
  return askSetting(prompts, 'address', {
    default: address ?? dialled,
    check: (given) => wayProblem(probe, name, { address: given, port }),
  });
}

/** The proposal is no wish: it goes along when ssh dials another address. */
export function withAddress(spec: HostSpec, address: string, { session }: OpenedHost, flags: HostFlags): HostSpec {
  const own = address === session.dialled && flags.address === undefined ? undefined : address;
  return completeHost({ ...spec, address: own });
}

/** The question of a setting, in the words of its table. */
async function askSetting<F extends 'address' | 'sans'>(
  prompts: Prompts,
  field: F,
  options: {
    readonly default?: string;
    readonly more?: string;
    /** What is wrong with an answer that could be read. */
    readonly check?: (value: NonNullable<HostSettings[F]>) => Promise<DockerTlsError | undefined>;
  },
): Promise<NonNullable<HostSettings[F]>> {
  const setting: Setting = HOST_SETTINGS[field];
  const { message = '', explain = '' } = setting.question ?? {};
  const read = (text: string) => {
    const words = text.split(/[\s,]+/).filter((word) => word !== '');
    return readSetting(setting, setting.kind === 'list' ? words : text.trim(), '');
  };
  const answer = await prompts.input({
    explain: [explain, ...(options.more ? [options.more] : [])].join(' '),
    message,
    default: options.default,
    flag: optionFlag(setting.flag?.name ?? field),
    key: fleetKey(field, setting),
    validate: async (text) => {
      const readable = refusal(read)(text);
      if (readable !== true) return readable;
      const problem = await options.check?.(read(text) as NonNullable<HostSettings[F]>);
      return problem === undefined ? true : [problem.message, ...problem.hints].join('\n');
    },
  });
  return read(answer) as NonNullable<HostSettings[F]>;
}

/** The fleet file in this directory, or a new one; undefined where it is not wanted. One that cannot be read is left alone. */
async function askFleet({ prompts, runtime }: SetupContext): Promise<FleetFile | undefined> {
  const file = await fleetFileAt(join(runtime.cwd, 'fleet.yaml'), runtime).catch(() => undefined);
  if (file === undefined) return undefined;
  const found = file.ca !== undefined;
  const wanted = await prompts.confirm({
    explain:
      'A fleet file keeps many hosts in one place, for docker-tls plan and apply (-f fleet.yaml). It holds no secret.',
    message: found ? 'Write the host into fleet.yaml here?' : 'Begin a fleet file here, fleet.yaml, with this host?',
    default: found,
    flag: '-f fleet.yaml',
  });
  return wanted ? file : undefined;
}

/** The host's own name where an address was dialled, if that name is free. */
function proposedName(spec: HostSpec, { facts }: OpenedHost, state: StoreState): string {
  const own = facts.hostname.split('.')[0] ?? '';
  const dialledByName = /[A-Za-z]/.test(spec.ssh.destination) && !spec.ssh.destination.includes(':');
  const usable = own !== 'localhost' && nameProblem(own) === undefined && !state.hosts.has(own);
  return usable && (!dialledByName || spec.ssh.destination === 'local') ? own : spec.name;
}

async function askClient({ prompts }: SetupContext, name: string): Promise<Answers['client']> {
  const answer = await prompts.input({
    explain: "Who are you? Your certificate gets this name; the daemon's authorization plugins see it as the user.",
    message: 'Client:',
    default: name,
    flag: '--client',
    key: 'clients',
    validate: (text) => nameProblem(text) ?? true,
  });
  return { name: answer, requested: true };
}

/** For questions: what is wrong with an answer, in words for the reader. */
function refusal(read: (text: string) => unknown): (text: string) => true | string {
  return (text) => {
    try {
      read(text);
      return true;
    } catch (error) {
      return error instanceof DockerTlsError ? error.message : 'That cannot be read.';
    }
  };
}
