/** Owns `setup`: the wizard, and the same from flags. */

import { checkContextOf, contextName, giveContexts } from '../../actions/context.ts';
import { readContext } from '../../adapters/docker/contexts.ts';
import { detectShell, dockerHost, useOf } from '../../adapters/docker/environment.ts';
import { checkName } from '../../adapters/store/records.ts';
import { otherName } from '../../domain/plan/other-store.ts';
import { hasChanges } from '../../domain/plan/plan.ts';
import { preflight } from '../../domain/plan/preflight.ts';
import type { HostSpec } from '../../domain/settings.ts';
import { requireLatest } from '../../engine/host-records.ts';
import { applyHost, type HostOutcome, openHost, planOpened, refuseProblems } from '../../engine/host-run.ts';
import { makeOwn } from '../../engine/own-client.ts';
import { specFor } from '../../engine/specs.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { type CommandResult, defineCommand } from '../command.ts';
import { openFleetFile, sudoReference } from '../fleet-file.ts';
import {
  CA_OPTIONS,
  caSpec,
  clientSpec,
  HOST_OPTIONS,
  hostFlags,
  REJECT_OPTION,
  SSH_OPTIONS,
  TAKE_OVER_OPTION,
} from '../host-options.ts';
import { dockerConfigDirectory } from '../options.ts';
import { agree } from '../prompts.ts';
import { coloursOf } from '../render/colours.ts';
import { outcomeJson, renderChecks, renderOutcome, renderWarnings } from '../render/outcome.ts';
import { renderPlan } from '../render/plan.ts';
import { tableWidth } from '../render/table.ts';
import { passphraseSource, sudoPassword } from '../secrets.ts';
import { knownHosts, openSession, verifierFor } from '../session.ts';
import {
  askClient,
  askContext,
  askDestination,
  askFleet,
  askHost,
  askOtherClients,
  askTakeOver,
  type SetupContext,
  whatThisIs,
} from '../setup-questions.ts';

export const command = defineCommand({
  name: 'setup',
  summary: 'Set up mutual TLS on a Docker host over SSH',
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
    ...TAKE_OVER_OPTION,
    ...REJECT_OPTION,
    ...CA_OPTIONS,
    client: {
      kind: 'text',
      value: 'NAME',
      summary: "name of this computer's client; default: your user name",
      completes: 'client',
    },
  },
  async run(context) {
    const { args, options, global, runtime, prompts, progress } = context;
    const flags = hostFlags(options, runtime.cwd);
    if (options.client !== undefined) checkName('client', options.client);
    const fleet = await openFleetFile(context);
    const session = await openSession(context, {
      ca: caSpec(options, fleet?.ca),
      passphrase: passphraseSource(options, runtime, prompts, fleet?.secrets.caPassphrase),
      rejectOthers: options.rejectOtherClients,
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
        const known = { known: knownHosts(session.state), takeOver: options.takeOver };
        const twin = otherName(opened.facts, first, session.state, opened.session.dialled, known);
        refuseProblems({
          problems: [
            ...(twin === undefined ? [] : [twin]),
            ...preflight({
              ...opened,
              login: opened.session.login,
              host: first.name,
              port: first.port,
              nowMs: runtime.now().getTime(),
            }),
          ],
        });
        if (!known) spec = await askHost(context, flags, first, opened, session.state);
      }
      const takeOver = options.takeOver || (await askTakeOver(context, opened, spec.name, session.state));
      const others =
        takeOver || options.rejectOtherClients
          ? undefined
          : await askOtherClients(context, opened, spec, session.state);
      if (others === 'accept') spec = { ...spec, acceptCa: 'existing' };
      const client = await askClient(context, session.state);
      const docker = await askContext(context, spec, session.state);
      if (docker !== undefined) {
        await refuseContext(docker, runtime);
        if (contextName(spec) === undefined) spec = { ...spec, context: docker };
      }
      const file = fleet ?? (known ? undefined : await askFleet(context));
      const line = prompts.interactive ? progress.host(spec.name) : reached;
      const wanted = clientSpec(client.name, { keyType: spec.keyType, days: options.days });
      const verifier = await verifierFor(session, wanted, client.requested);
      const writeFleet = await file?.edit(spec, {
        sudoPassword: sudoReference(options, runtime.cwd),
        client: verifier.fresh ? wanted : undefined,
      });
      const run = session.context({
        verifier,
        reason: 'setup',
        takeOver,
        ...(others === 'reject' ? { rejectOthers: true } : {}),
        ...(sudo ? { sudoPassword: sudo } : {}),
      });
      const prepared = await planOpened(opened, spec, run, line);
      refuseProblems(prepared);
      await checkContextOf(spec, verifier, session.state, dockerConfigDirectory(runtime));
      const plan = renderPlan(prepared, coloursOf(runtime.io), global.verbose, tableWidth(runtime.io));
      if (global.dryRun) {
        line.done('planned');
        const place = { address: prepared.address, port: spec.port, client: verifier.record.name };
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
        line.done(outcome.changed ? `done, generation ${outcome.plan.generation}` : 'nothing to do, in sync');
        await makeOwn(session.store, verifier.record.name);
        await writeFleet?.();
        // The host is done, whatever becomes of the context.
        const { store } = session;
        const around = { store, dockerConfig: dockerConfigDirectory(runtime), now: runtime.now };
        const errors = await giveContexts([spec], [verifier], around);
        return finish(context, spec, outcome, verifier.record.name, errors.length > 0 ? undefined : docker, errors);
      });
    } finally {
      await opened.session.close();
    }
  },
});

/** A context of that name that is not ours: said before the host is changed, not after. */
async function refuseContext(name: string, runtime: SetupContext['runtime']): Promise<void> {
  const found = await readContext({ name, dockerConfig: dockerConfigDirectory(runtime) });
  if (found === undefined || found.ours) return;
  throw new DockerTlsError({
    code: 'E_CONTEXT_EXISTS',
    exit: 2,
    where: name,
    message: `there is a docker context ${name} already, and docker-tls did not write it`,
    hints: ['choose another name: --context NAME', `docker context inspect ${name}`],
  });
}

/** Shows the plan, also to whoever agreed beforehand, and asks once; without somebody to ask, --yes has to have been given. */
async function agreeTo(plan: string, { prompts, global }: SetupContext): Promise<void> {
  if (global.yes || prompts.interactive) await prompts.show(`\n${plan}\n\n`);
  if (global.yes) return;
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
  const verified = context.runtime.io.errIsTerminal
    ? `\nProven from here, over new connections:\n${[renderChecks(outcome.checks, colours), ...renderWarnings(outcome.warnings, colours)].join('\n')}`
    : renderOutcome(outcome, colours);
  return {
    exit: 0,
    result: {
      ...(outcomeJson({ host: spec.name, kind: 'done', value: outcome, elapsedMs: outcome.elapsedMs }) as object),
      endpoint,
      client,
      ...(docker ? { context: docker } : {}),
    },
    text: [verified, '', `${endpoint} accepts ${colours.bold(client)}. Next:`].join('\n'),
    next: nextCommands(context, spec, docker),
    errors,
  };
}

/** Two commands to go on with. */
function nextCommands({ runtime }: SetupContext, { name, use }: HostSpec, dockerContext: string | undefined): string[] {
  const { docker } = runtime;
  if (dockerContext !== undefined)
    return [`${docker}${use ? '' : ` --context ${dockerContext}`} ps`, 'docker-tls status'];
  return [useOf(detectShell(runtime.env), `docker-tls env ${name}`), 'docker ps'];
}
