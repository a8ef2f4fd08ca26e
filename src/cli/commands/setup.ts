/** Owns `setup`: the wizard, and the same from flags. */

import { parseDestination } from '../../config/destination.ts';
import { completeHost, type HostSpec } from '../../config/spec.ts';
import { shellQuote } from '../../daemon/quote.ts';
import { checkContextName, contextNameOf, readContext } from '../../docker/contexts.ts';
import { detectShell, dockerHost, useOf } from '../../docker/environment.ts';
import { DockerTlsError, printable } from '../../errors.ts';
import { parseSan } from '../../pki/names.ts';
import { managedElsewhere, otherStore } from '../../plan/other-store.ts';
import { hasChanges } from '../../plan/plan.ts';
import { preflight } from '../../plan/preflight.ts';
import { checkName, nameProblem, type StoredClient, type StoreState } from '../../store/records.ts';
import type { Store } from '../../store/store.ts';
import { userName } from '../../user.ts';
import { plural } from '../../words.ts';
import { giveContext } from '../../workflows/context.ts';
import { requireLatest } from '../../workflows/host-books.ts';
import {
  applyHost,
  type HostOutcome,
  type OpenedHost,
  openHost,
  planOpened,
  refuseProblems,
} from '../../workflows/host-run.ts';
import { specFor } from '../../workflows/specs.ts';
import { type CommandContext, type CommandResult, defineCommand } from '../command.ts';
import { openFleetFile, sudoReference } from '../fleet-file.ts';
import {
  CA_OPTIONS,
  caSpec,
  clientSpec,
  HOST_OPTIONS,
  hostFlags,
  passphraseSource,
  SSH_OPTIONS,
  sudoPassword,
} from '../host-options.ts';
import { dockerConfigFolder, storeFolder } from '../options.ts';
import type { Prompts } from '../prompts.ts';
import { agree } from '../prompts.ts';
import { coloursOf } from '../render/colours.ts';
import { outcomeJson, renderOutcome, renderProofs } from '../render/outcome.ts';
import { renderPlan } from '../render/plan.ts';
import { tableWidth } from '../render/table.ts';
import { openSession, proverFor } from '../session.ts';

export const command = defineCommand({
  name: 'setup',
  summary: 'From a host that answers over SSH to a daemon under mutual TLS',
  about:
    'Asks what it cannot find out, shows what it would change, and asks once before it changes the host.\nEvery question has a flag, so with --yes it asks nothing. A second run changes nothing.',
  examples: [
    'docker-tls setup',
    'docker-tls setup root@build-1 -i ~/.ssh/id_ed25519 --host-key accept-new --no-ca-passphrase --client laptop --yes',
  ],
  args: { host: { summary: '[user@]name[:port], ssh://…, or local' } },
  options: {
    ...SSH_OPTIONS,
    ...HOST_OPTIONS,
    ...CA_OPTIONS,
    client: {
      kind: 'text',
      value: 'NAME',
      summary: 'name of this computer’s client; default: your user name',
      completes: 'client',
    },
    context: { kind: 'text', value: 'NAME', summary: 'write a docker context of this name' },
    use: { kind: 'flag', summary: 'make it the current context' },
    configFolder: { kind: 'flag', summary: 'put the client’s files into the Docker config folder itself too' },
  },
  async run(context) {
    const { args, options, global, runtime, prompts, progress } = context;
    const flags = hostFlags(options, runtime.cwd);
    if (options.context !== undefined) checkContextName(options.context);
    if (options.client !== undefined) checkName('client', options.client);
    const fleet = await openFleetFile(context);
    const session = await openSession(context, {
      ca: caSpec(options, fleet?.ca),
      passphrase: passphraseSource(options, runtime, prompts, fleet?.secrets.caPassphrase),
    });
    const host = (args.host ?? (await askDestination(context))).trim();
    const first = fleet?.specFor(host, session.state, flags) ?? specFor(host, session.state, flags);
    const sudo = await sudoPassword(options, runtime, prompts, fleet?.secrets.sudoPasswordOf(first.name));
    const reach = { runtime, ...(sudo ? { sudoPassword: sudo } : {}), ...(prompts.ssh ? { ask: prompts.ssh } : {}) };
    const reached = progress.host(first.name);
    const opened = await openHost(first, reach, reached);
    try {
      const known = session.state.hosts.has(first.name);
      let spec = first;
      if (prompts.interactive) {
        reached.done(whatThisIs(opened));
        refuseProblems({
          problems: preflight({
            ...opened,
            login: opened.session.login,
            host: first.name,
            port: first.port,
            nowMs: runtime.now().getTime(),
          }),
        });
        if (!known) spec = await askHost(context, first, opened, session.state);
      }
      const takeOver = options.takeOver || (await askTakeOver(context, opened, spec.name, session.state));
      const client = await askClient(context, session.state);
      const docker = await askContext(context, spec, session.state);
      if (docker !== undefined) await refuseContext(docker, runtime);
      const line = prompts.interactive ? progress.host(spec.name) : reached;
      const wanted = clientSpec(client.name, { keyType: spec.keyType, days: options.days });
      const prover = await proverFor(session, wanted, client.asked);
      const writeFleet = await fleet?.edit(spec, {
        sudoPassword: sudoReference(options, runtime.cwd),
        client: prover.fresh ? wanted : undefined,
      });
      const run = session.context({ prover, reason: 'setup', takeOver, ...(sudo ? { sudoPassword: sudo } : {}) });
      const prepared = await planOpened(opened, spec, run, line);
      refuseProblems(prepared);
      const plan = renderPlan(prepared, coloursOf(runtime.io), global.verbose, tableWidth(runtime.io));
      if (global.dryRun) {
        line.done('planned');
        const place = { address: prepared.address, port: spec.port, client: prover.record.name };
        return { exit: 0, result: { ...place, plan: prepared.plan }, text: plan };
      }
      // Whoever thinks about it holds up nobody: the store is free until there is an answer.
      if (hasChanges(prepared.plan)) await agreeTo(plan, context);
      return await session.store.withLock('docker-tls setup', async () => {
        await requireLatest(prepared, run);
        const outcome = await applyHost(prepared, run, line).catch(async (error: unknown) => {
          await session.forget();
          throw error;
        });
        line.done(
          outcome.changed ? `done, generation ${outcome.plan.generation}` : 'nothing to do, it is as it should be',
        );
        await writeFleet?.();
        // The host is done, whatever becomes of the context.
        const errors = docker === undefined ? [] : await makeContext(context, session.store, spec, prover, docker);
        return finish(context, spec, outcome, prover.record.name, errors.length > 0 ? undefined : docker, errors);
      });
    } finally {
      await opened.session.close();
    }
  },
});

type SetupContext = Pick<
  CommandContext<
    { host?: string },
    {
      client?: string;
      context?: string;
      use: boolean;
      configFolder: boolean;
      name?: string;
      address?: string;
      san: readonly string[];
    }
  >,
  'options' | 'prompts' | 'runtime' | 'global' | 'args'
>;

async function askDestination({ prompts, runtime }: SetupContext): Promise<string> {
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
function whatThisIs({ facts }: OpenedHost): string {
  const count = facts.docker.containers.length;
  return `${facts.os}, Docker ${facts.docker.version}, ${count === 0 ? 'no container running' : `${plural(count, 'container')} running`}`;
}

/** The questions about a new host; what was said by a flag is not asked. */
async function askHost(
  { options, prompts }: SetupContext,
  spec: HostSpec,
  opened: OpenedHost,
  state: StoreState,
): Promise<HostSpec> {
  const name =
    options.name ??
    (await prompts.input({
      explain: 'What shall it be called? The commands take this name: docker-tls status, env, verify, …',
      message: 'Name:',
      default: proposedName(spec, opened, state),
      flag: '--name',
      validate: (text) => nameProblem(text) ?? (state.hosts.has(text) ? 'There is a host of that name.' : true),
    }));
  const address =
    options.address ??
    (
      await prompts.input({
        explain: 'Which name or IP address do clients dial? It goes into the certificate.',
        message: 'Address:',
        default: opened.session.dialled,
        flag: '--address',
        key: 'address',
        validate: refusal((text) => parseSan(text.trim())),
      })
    ).trim();
  const proposed = opened.proposed(address).map((san) => san.value);
  const sans = options.san.length > 0 ? options.san : await askNames(prompts, proposed);
  // The proposal is no wish: it goes along when ssh dials another address.
  const asked = address === opened.session.dialled && options.address === undefined ? undefined : address;
  return completeHost({ ...spec, name, address: asked, sans });
}

/** A host in the care of another store: its clients are locked out, which nobody does by the way. */
async function askTakeOver(
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
  if (!agreed) throw managedElsewhere(host, other);
  return true;
}

async function askNames(prompts: Prompts, proposed: readonly string[]): Promise<readonly string[]> {
  const words = (text: string) => text.split(/[\s,]+/).filter((word) => word !== '');
  const answer = await prompts.input({
    explain: `Is it reached by other names or addresses too? In the certificate already: ${printable(proposed.join(', '))}.`,
    message: 'Further names (none: Enter):',
    flag: '--san',
    key: 'sans',
    validate: refusal((text) => words(text).map(parseSan)),
  });
  return words(answer);
}

/** An address says little: then the host's own name, where it is free. */
function proposedName(spec: HostSpec, { facts }: OpenedHost, state: StoreState): string {
  const own = facts.hostname.split('.')[0] ?? '';
  const dialledByName = /[A-Za-z]/.test(spec.ssh.destination) && !spec.ssh.destination.includes(':');
  const usable = own !== 'localhost' && nameProblem(own) === undefined && !state.hosts.has(own);
  return usable && (!dialledByName || spec.ssh.destination === 'local') ? own : spec.name;
}

async function askClient(
  { options, prompts }: SetupContext,
  state: StoreState,
): Promise<{ name: string; asked: boolean }> {
  if (options.client !== undefined) return { name: options.client, asked: true };
  const name = userName().replace(/[^A-Za-z0-9._@+-]/g, '-');
  if (!prompts.interactive || state.clients.size > 0) return { name, asked: false };
  const answer = await prompts.input({
    explain: 'Who are you? Your certificate gets this name; the daemon’s authorization plugins see it as the user.',
    message: 'Client:',
    default: name,
    flag: '--client',
    key: 'clients',
    validate: (text) => nameProblem(text) ?? true,
  });
  return { name: answer, asked: true };
}

/** Asked before the host changes, so that whoever stops at a question leaves nothing behind. */
async function askContext(
  { options, prompts }: SetupContext,
  spec: HostSpec,
  state: StoreState,
): Promise<string | undefined> {
  const name = contextNameOf(spec.name);
  if (options.context !== undefined) return options.context;
  if (options.use || options.configFolder) return name;
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

/** A context of that name that is not ours: said before the host is changed, not after. */
async function refuseContext(name: string, runtime: SetupContext['runtime']): Promise<void> {
  const found = await readContext({ name, dockerConfig: dockerConfigFolder(runtime) });
  if (found === undefined || found.ours) return;
  throw new DockerTlsError({
    code: 'E_CONTEXT_EXISTS',
    exit: 2,
    where: name,
    message: `there is a docker context ${name} already, and docker-tls did not write it`,
    hints: ['choose another name: --context NAME', `docker context inspect ${name}`],
  });
}

async function makeContext(
  { options, runtime }: SetupContext,
  store: Store,
  spec: HostSpec,
  client: StoredClient,
  name: string,
): Promise<DockerTlsError[]> {
  try {
    await giveContext({
      store,
      host: spec.name,
      client: client.record.name,
      context: name,
      dockerConfig: dockerConfigFolder(runtime),
      use: options.use,
      replace: false,
      configFolder: options.configFolder,
      now: runtime.now,
    });
    return [];
  } catch (error) {
    if (error instanceof DockerTlsError) return [error];
    throw error;
  }
}

/** Shows the plan and asks once; without somebody to ask, --yes has to have been given. */
async function agreeTo(plan: string, { prompts, global }: SetupContext): Promise<void> {
  if (global.yes) return;
  if (prompts.interactive) await prompts.show(`\n${plan}\n\n`);
  await agree(prompts, 'Make these changes?');
}

function finish(
  context: SetupContext,
  spec: HostSpec,
  outcome: HostOutcome,
  client: string,
  docker: string | undefined,
  errors: readonly DockerTlsError[],
): CommandResult {
  const colours = coloursOf(context.runtime.io);
  const endpoint = dockerHost(outcome.address, spec.port);
  // On a terminal the progress has said already how it ended.
  const proven = context.runtime.io.errIsTerminal
    ? `\nProven from here, over new connections:\n${renderProofs(outcome.proofs, colours)}`
    : renderOutcome(outcome, colours);
  return {
    exit: 0,
    result: {
      ...(outcomeJson({ host: spec.name, kind: 'done', value: outcome, elapsedMs: outcome.elapsedMs }) as object),
      endpoint,
      client,
      ...(docker ? { context: docker } : {}),
    },
    text: [
      proven,
      '',
      `${endpoint} is open to client ${colours.bold(client)} and closed to everybody else. Go on with:`,
      '',
      ...nextCommands(context, spec.name, docker).map((line) => `  ${colours.cyan(line)}`),
    ].join('\n'),
    errors,
  };
}

/** Two commands to go on with, as this person has to type them. */
function nextCommands(
  { runtime, global, options }: SetupContext,
  host: string,
  dockerContext: string | undefined,
): string[] {
  const { program, docker } = runtime;
  const home = global.home === storeFolder(undefined, runtime) ? '' : ` --home ${shellQuote(global.home)}`;
  if (dockerContext !== undefined)
    return [`${docker}${options.use ? '' : ` --context ${dockerContext}`} ps`, `${program} status${home}`];
  return [useOf(detectShell(runtime.env), `${program} env ${host}${home}`), 'docker ps'];
}

/** For questions: what is wrong with an answer, in the words of whoever reads it. */
function refusal(read: (text: string) => unknown): (text: string) => true | string {
  return (text) => {
    try {
      read(text);
      return true;
    } catch (error) {
      return error instanceof DockerTlsError ? error.message : 'That can not be read.';
    }
  };
}
