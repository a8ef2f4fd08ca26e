/** Owns the questions of `setup`: what the wizard asks, in its order; what was said by a flag is not asked. */

import { join } from 'node:path';
import { contextName } from '../actions/context.ts';
import { contextNameOf } from '../adapters/docker/contexts.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { parseDestination } from '../domain/destination.ts';
import { nameProblem } from '../domain/names.ts';
import { otherClients, otherClientsLose, otherClientsNotes, trustNow } from '../domain/plan/other-clients.ts';
import { managedExternally, otherStore } from '../domain/plan/other-store.ts';
import {
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
import type { HostFlags } from '../engine/specs.ts';
import { DockerTlsError, printable } from '../errors/errors.ts';
import { userName } from '../user.ts';
import { type CommandContext, optionFlag } from './command.ts';
import { type FleetFile, fleetFileAt } from './fleet-file.ts';
import { readSetting } from './host-options.ts';
import type { Prompts } from './prompts.ts';
import { coloursOf } from './render/colours.ts';

export type SetupContext = Pick<
  CommandContext<{ host?: string }, { client?: string }>,
  'options' | 'prompts' | 'runtime' | 'global' | 'args'
>;

export async function askDestination({ prompts, runtime }: SetupContext): Promise<string> {
  if (prompts.interactive) {
    const { bold } = coloursOf(runtime.io);
    await prompts.show(
      `${bold('docker-tls setup')}: mutual TLS for the Docker daemon of a host.\nNothing changes before you say yes. Ctrl-C leaves everything as it was.\n`,
    );
  }
  return prompts.input({
    explain:
      'Which host? As ssh reaches it: root@build-1.example.org, admin@10.0.0.7:2222, a name of ~/.ssh/config; or local.',
    message: 'Host:',
    flag: 'HOST',
    validate: refusal((text) => parseDestination(text.trim())),
  });
}

/** What was found, in one line: whom we are talking to. */
export function whatThisIs({ facts }: OpenedHost): string {
  const count = facts.docker.containers.length;
  return `${facts.os}, Docker ${facts.docker.version}, ${count === 0 ? 'no container running' : `${plural(count, 'container')} running`}`;
}

/** The questions about a new host; what was said by a flag is not asked. */
export async function askHost(
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
      default: proposedName(spec, opened, state),
      flag: '--name',
      validate: (text) => nameProblem(text) ?? (state.hosts.has(text) ? 'There is a host of that name.' : true),
    }));
  const { dialled } = opened.session;
  const address =
    flags.address ??
    (await askSetting(prompts, 'address', {
      default: dialled,
      check: (name) => wayProblem(runtime.probe, spec.name, { address: name, port: spec.port }),
    }));
  const proposed = opened.proposed(address).map(({ value }) => value);
  const already = `In the certificate already: ${printable(proposed.join(', '))}.`;
  const sans = flags.sans ?? (await askSetting(prompts, 'sans', { more: already }));
  // The proposal is no wish: it goes along when ssh dials another address.
  const own = address === dialled && flags.address === undefined ? undefined : address;
  return completeHost({ ...spec, name, address: own, sans });
}

/** The question of a setting, in the words of its table. */
async function askSetting<F extends 'address' | 'sans'>(
  prompts: Prompts,
  field: F,
  options: {
    readonly default?: string;
    readonly more?: string;
    /** What stands against an answer that could be read. */
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

/** The fleet file that lies here, or a new one; undefined where nobody wants it. One that cannot be read is left alone. */
export async function askFleet({ prompts, runtime }: SetupContext): Promise<FleetFile | undefined> {
  if (!prompts.interactive) return undefined;
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

/** A host in the care of another store: its clients are locked out, which nobody does by the way. */
export async function askTakeOver(
  { prompts }: SetupContext,
  { facts }: OpenedHost,
  host: string,
  state: StoreState,
): Promise<boolean> {
  const other = prompts.interactive ? otherStore(facts, host, state) : undefined;
  if (other === undefined) return false;
  const agreed = await prompts.confirm({
    explain: `Look out: ${other}.`,
    message: 'Take it over?',
    default: false,
    flag: '--take-over',
  });
  if (!agreed) throw managedExternally(host, other);
  return true;
}

/** A daemon that has clients already, of a CA that is not ours: what becomes of them is said before anything changes. */
export async function askOtherClients(
  { prompts }: SetupContext,
  { facts }: OpenedHost,
  { name, acceptCa }: HostSpec,
  state: StoreState,
): Promise<'accept' | 'reject' | undefined> {
  const now = prompts.interactive && acceptCa === undefined ? trustNow(facts) : undefined;
  if (now === undefined || now.ours) return undefined;
  const ours = [state.ca, ...state.oldCas].map((ca) => ca?.cert ?? '').join('');
  const others = otherClients(now, ours, state, new Date(facts.clockMs));
  if (!others.needsYes) return undefined;
  const answer = await prompts.select({
    explain: `This daemon has clients already: ${otherClientsNotes(others).join('; ')}.`,
    message: 'What becomes of them?',
    choices: [
      ...(others.losing.length > 0
        ? [
            {
              value: 'accept',
              name: 'they stay accepted, beside ours',
              description: 'Their ca.pem needs our CA as well, which the new server certificate is from.',
            } as const,
          ]
        : []),
      { value: 'reject', name: 'they are rejected from now on' } as const,
      { value: 'end', name: 'end here, and import their CA first: docker-tls ca import' } as const,
    ],
    flag: '--accept-ca existing, or --reject-other-clients',
    key: `hosts.${name}.accept-ca`,
  });
  if (answer === 'end') throw otherClientsLose(name, others, 'theirs');
  return answer;
}

/** An address says little: then the host's own name, where it is free. */
function proposedName(spec: HostSpec, { facts }: OpenedHost, state: StoreState): string {
  const own = facts.hostname.split('.')[0] ?? '';
  const dialledByName = /[A-Za-z]/.test(spec.ssh.destination) && !spec.ssh.destination.includes(':');
  const usable = own !== 'localhost' && nameProblem(own) === undefined && !state.hosts.has(own);
  return usable && (!dialledByName || spec.ssh.destination === 'local') ? own : spec.name;
}

export async function askClient(
  { options, prompts }: SetupContext,
  state: StoreState,
): Promise<{ name: string; requested: boolean }> {
  if (options.client !== undefined) return { name: options.client, requested: true };
  const name = userName().replace(/[^A-Za-z0-9._@+-]/g, '-');
  if (!prompts.interactive || state.clients.size > 0) return { name, requested: false };
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

/** Asked before the host changes, so that whoever stops at a question leaves nothing behind. */
export async function askContext(
  { prompts }: SetupContext,
  spec: HostSpec,
  state: StoreState,
): Promise<string | undefined> {
  const requested = contextName(spec);
  if (requested !== undefined) return requested;
  const name = contextNameOf(spec.name);
  const known = state.hosts.has(spec.name) || !prompts.interactive;
  if (known) return undefined;
  const wanted = await prompts.confirm({
    explain: `Docker reaches the host by a context: docker --context ${name} ps. (Without one: docker-tls env ${name})`,
    message: `Make the docker context ${name}?`,
    default: true,
    flag: '--context',
  });
  return wanted ? name : undefined;
}

/** For questions: what is wrong with an answer, in the words of whoever reads it. */
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
