/** Owns `setup`: the wizard, and the same from flags. */

import { completeHost, type HostSpec } from '../../config/spec.ts';
import { dockerHost } from '../../docker/environment.ts';
import { DockerTlsError, printable } from '../../errors.ts';
import { parseSan } from '../../pki/names.ts';
import { hasChanges } from '../../plan/plan.ts';
import { nameProblem } from '../../store/records.ts';
import { giveContext } from '../../workflows/context.ts';
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
import { dockerConfigFolder, usage } from '../options.ts';
import { coloursOf } from '../render/colours.ts';
import { outcomeJson, renderOutcome } from '../render/outcome.ts';
import { renderPlan } from '../render/plan.ts';
import { userName } from '../runtime.ts';
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
    const colours = coloursOf(runtime.io);
    const flags = hostFlags(options, runtime.cwd);
    if (options.use && options.context === undefined && args.host === undefined && !prompts.interactive)
      throw usage('--use needs a host', []);
    const session = await openSession(context, {
      ca: caSpec(options),
      passphrase: passphraseSource(options, runtime, prompts),
    });
    if (prompts.interactive && args.host === undefined) {
      runtime.io.err(
        `${colours.bold('docker-tls setup')}: puts a Docker daemon under mutual TLS. Nothing changes before you say yes.\n\n`,
      );
    }
    const host =
      args.host ??
      (await prompts.input({
        message: 'Host, as ssh reaches it ([user@]name[:port]):',
        flag: 'HOST',
        validate: (text) => (text.trim() === '' ? 'It needs a name.' : true),
      }));
    let spec = specFor(host.trim(), session.state, flags);
    const sudo = await sudoPassword(options, runtime, prompts);
    const line = progress.host(spec.name);
    const reach = { runtime, ...(sudo ? { sudoPassword: sudo } : {}), ...(prompts.ssh ? { ask: prompts.ssh } : {}) };
    const opened = await openHost(spec, reach, line);
    let outcome: HostOutcome;
    try {
      if (prompts.interactive) spec = await askHost(context, spec, opened, session.state.hosts.has(spec.name));
      const client = await askClient(context, session);
      return await session.store.withLock('docker-tls setup', async () => {
        const prover = await proverFor(
          session,
          clientSpec(client.name, { keyType: spec.keyType, days: options.days }),
          client.asked,
        );
        const run = session.context({ prover, reason: 'setup', ...(sudo ? { sudoPassword: sudo } : {}) });
        const prepared = await planOpened(opened, spec, run, line);
        refuseProblems(prepared);
        const plan = renderPlan(prepared, colours, global.verbose);
        const base = { address: prepared.address, port: spec.port, client: prover.record.name };
        if (global.dryRun) {
          line.done('planned');
          return { exit: 0, result: { ...base, plan: prepared.plan }, text: plan };
        }
        if (hasChanges(prepared.plan)) await agree(context, plan);
        try {
          outcome = await applyHost(prepared, run, line);
        } catch (error) {
          await session.forget();
          throw error;
        }
        line.done(outcome.changed ? 'done' : 'nothing to do');
        const docker = await askContext(context, spec);
        if (docker !== undefined) {
          await giveContext({
            store: session.store,
            host: spec.name,
            client: prover.record.name,
            context: docker,
            dockerConfig: dockerConfigFolder(runtime),
            use: options.use,
            replace: false,
            configFolder: options.configFolder,
            now: runtime.now,
          });
        }
        return finish(context, spec, outcome, prover.record.name, docker);
      });
    } finally {
      await opened.session.close();
    }
  },
});

type SetupContext = Pick<
  CommandContext<
    unknown,
    {
      client?: string;
      context?: string;
      use: boolean;
      configFolder: boolean;
      address?: string;
      san: readonly string[];
      yes?: boolean;
    }
  >,
  'options' | 'prompts' | 'runtime' | 'global' | 'args'
> & {
  args: { host?: string };
};

/** The questions about the host itself; what was said by a flag is not asked. */
async function askHost(
  { options, prompts }: SetupContext,
  spec: HostSpec,
  opened: OpenedHost,
  known: boolean,
): Promise<HostSpec> {
  if (known) return spec;
  const validate = (text: string): true | string => {
    try {
      for (const name of text.split(/[\s,]+/).filter((word) => word !== '')) parseSan(name);
      return true;
    } catch (error) {
      return error instanceof DockerTlsError ? error.message : 'That is no name.';
    }
  };
  const address =
    options.address ??
    (await prompts.input({
      message: 'Address that clients dial (a name or IP; it goes into the certificate):',
      default: opened.session.dialled,
      flag: '--address',
      key: 'address',
      validate,
    }));
  const proposed = opened.proposed(address).map((san) => san.value);
  const more =
    options.san.length > 0
      ? options.san
      : (
          await prompts.input({
            message: `Further names, besides ${printable(proposed.join(', '))}:`,
            default: '',
            flag: '--san',
            key: 'san',
            validate,
          })
        )
          .split(/[\s,]+/)
          .filter((word) => word !== '');
  return completeHost({ ...spec, address, sans: more });
}

async function askClient(
  { options, prompts }: SetupContext,
  session: { state: { clients: ReadonlyMap<string, unknown> } },
): Promise<{ name: string; asked: boolean }> {
  if (options.client !== undefined) return { name: options.client, asked: true };
  const name = userName().replace(/[^A-Za-z0-9._@+-]/g, '-');
  if (!prompts.interactive || session.state.clients.size > 0) return { name, asked: false };
  const answer = await prompts.input({
    message: 'Name of this computer’s client certificate (the daemon’s logs and plugins see it):',
    default: name,
    flag: '--client',
    key: 'clients',
    validate: (text) => nameProblem(text) ?? true,
  });
  return { name: answer, asked: true };
}

async function askContext({ options, prompts, global }: SetupContext, spec: HostSpec): Promise<string | undefined> {
  const name = spec.name.replaceAll('@', '-');
  if (options.context !== undefined) return options.context;
  if (options.use || options.configFolder) return name;
  if (!prompts.interactive || global.yes) return undefined;
  const wanted = await prompts.confirm({
    message: `Make a docker context "${name}" (so that docker --context ${name} reaches it)?`,
    default: true,
    flag: '--context',
  });
  return wanted ? name : undefined;
}

/** Shows the plan and asks once; without somebody to ask, --yes has to have been given. */
async function agree(
  { prompts, runtime, global }: Pick<SetupContext, 'prompts' | 'runtime' | 'global'>,
  plan: string,
): Promise<void> {
  if (global.yes) return;
  runtime.io.err(`\n${plan}\n\n`);
  if (await prompts.confirm({ message: 'Make these changes?', default: false, flag: '--yes' })) return;
  throw new DockerTlsError({ code: 'E_DECLINED', exit: 130, message: 'nothing was changed' });
}

function finish(
  { runtime }: SetupContext,
  spec: HostSpec,
  outcome: HostOutcome,
  client: string,
  docker: string | undefined,
): CommandResult {
  const colours = coloursOf(runtime.io);
  const endpoint = dockerHost(outcome.address, spec.port);
  const next =
    docker === undefined
      ? [`  eval "$(docker-tls env ${spec.name})"`, '  docker version']
      : [`  docker --context ${docker} version`, `  docker-tls status`];
  return {
    exit: 0,
    result: {
      ...(outcomeJson({ host: spec.name, kind: 'done', value: outcome, elapsedMs: outcome.elapsedMs }) as object),
      endpoint,
      client,
      ...(docker ? { context: docker } : {}),
    },
    text: [renderOutcome(outcome, colours), '', `${endpoint} as client ${client}. Go on with:`, '', ...next].join('\n'),
  };
}
