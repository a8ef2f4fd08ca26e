/** Owns `setup`: the wizard, and the same from flags. */

import { type ApplyRequest, apply, clientsFor, wantedHosts } from '../../actions/apply.ts';
import { checkContextOf, contextName, giveContexts } from '../../actions/context.ts';
import { makeOwn } from '../../actions/own-client.ts';
import { readContext } from '../../adapters/docker/contexts.ts';
import type { StoreState } from '../../adapters/store/records.ts';
import { dockerHost } from '../../domain/destination.ts';
import { checkName } from '../../domain/names.ts';
import { knownHosts, otherName } from '../../domain/plan/other-store.ts';
import { preflight } from '../../domain/plan/preflight.ts';
import type { HostSpec } from '../../domain/settings.ts';
import type { HostOutcome, OpenedHost, Run } from '../../engine/intent.ts';
import type { HostResult } from '../../engine/pool.ts';
import { wayProblem } from '../../engine/reachability.ts';
import { type HostFlags, specFor } from '../../engine/specs.ts';
import { openHost } from '../../engine/steps/connect.ts';
import { refuseProblems } from '../../engine/steps/preflight.ts';
import { DockerTlsError, DockerTlsErrors } from '../../errors/errors.ts';
import { type CommandResult, defineCommand, type OptionSpecs, type OptionValues } from '../command.ts';
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
import { renderChange } from '../render/change.ts';
import { coloursOf } from '../render/colours.ts';
import { useCommands } from '../render/next.ts';
import { outcomeJson, renderAttention, renderChecks, renderOutcome, renderWarnings } from '../render/outcome.ts';
import { confirming, openRun } from '../run.ts';
import { askOtherClients, askTakeOver, confirmOrEdit, Edit } from '../setup-consent.ts';
import {
  type Answers,
  askAddress,
  askDestination,
  editAnswers,
  propose,
  type SetupContext,
  whatThisIs,
  withAddress,
} from '../setup-questions.ts';
import { storeOf } from '../store.ts';

const OPTIONS = {
  ...SSH_OPTIONS,
  ...HOST_OPTIONS,
  ...TAKE_OVER_OPTION,
  ...REJECT_OPTION,
  ...CA_OPTIONS,
  noContext: { kind: 'flag', group: 'Output', summary: 'make no docker context' },
  client: {
    kind: 'text',
    value: 'NAME',
    summary: "name of this computer's client; default: your user name",
    completes: 'client',
  },
} as const satisfies OptionSpecs;

type Options = OptionValues<typeof OPTIONS>;

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
  options: OPTIONS,
  async run(context) {
    const { args, options, runtime, prompts, progress } = context;
    const flags = hostFlags(options, runtime.cwd);
    if (options.client !== undefined) checkName('client', options.client);
    const state = await storeOf(context).read();
    const fleet = await openFleetFile(context);
    const host = (args.host ?? (await askDestination(context))).trim();
    const first = fleet?.specFor(host, state, flags) ?? specFor(host, state, flags);
    const reference = fleet?.secrets.sudoPasswordOf(first.name);
    const secrets = {
      caPassphrase: fleet?.secrets.caPassphrase,
      sudoPassword: reference === undefined ? undefined : { [first.name]: reference },
    };
    const known = state.hosts.has(first.name);
    const editable = prompts.interactive && !known;
    // With --yes the plan is shown as well: it is the first that this host gets.
    const confirm = confirming(context, true, editable ? (question) => confirmOrEdit(context, question) : undefined);
    const run = await openRun(context, options, { specs: [first], secrets }, { confirm });
    const reached = progress.host(first.name);
    let opened = await openHost(first, run, reached);
    try {
      reached.pause(whatThisIs(opened));
      if (prompts.interactive) refuseEarly(first, opened, state, options.takeOver, runtime);
      let answers = await propose(context, flags, first, opened, { state, fleet });
      if (editable) answers = await withOpenWay(context, flags, answers, opened);
      const takeOver = options.takeOver || (await askTakeOver(context, opened, answers.spec.name, state));
      const settled = takeOver || options.rejectOtherClients;
      const others = settled ? undefined : await askOtherClients(context, opened, answers.spec, state);
      const rejectOthers = options.rejectOtherClients || others === 'reject';
      const settings = others === 'accept' ? { acceptCa: 'existing' } : {};
      for (;;) {
        const asked: Asked = { ...answers, takeOver, rejectOthers, spec: { ...answers.spec, ...settings } };
        try {
          return await carryOut(context, asked, { run, opened, state });
        } catch (error) {
          if (!(error instanceof Edit)) throw error;
          answers = await editAnswers(context, flags, answers, opened, state);
          opened = await openHost(first, run, reached);
          reached.pause();
        }
      }
    } finally {
      await opened.session.close();
    }
  },
});

type Asked = Answers & { readonly takeOver: boolean; readonly rejectOthers: boolean };

/** The host as the answers have it, and docker here. */
async function carryOut(
  context: SetupContext & { readonly options: Options },
  { spec: asked, client, context: docker, file, takeOver, rejectOthers }: Asked,
  { run, opened, state }: { readonly run: Run; readonly opened: OpenedHost; readonly state: StoreState },
): Promise<CommandResult> {
  const { options, global, runtime } = context;
  const { store } = run;
  if (docker !== undefined) await refuseContext(docker, runtime);
  const spec = docker === undefined || contextName(asked) !== undefined ? asked : { ...asked, context: docker };
  const request: ApplyRequest = {
    reason: 'setup',
    hosts: [spec],
    ca: caSpec(options, file?.ca),
    client: {
      spec: clientSpec(client.name, { keyType: spec.keyType, days: options.days }),
      named: client.requested,
    },
    takeOver,
    rejectOthers,
    addHardening: global.file === undefined,
  };
  const wanted = wantedHosts(request, state, runtime.now());
  const [verifier] = clientsFor(wanted, state);
  const fresh = wanted.credentials.some(({ kind }) => kind === 'client');
  const writeFleet = await file?.edit(spec, {
    sudoPassword: sudoReference(options, runtime.cwd),
    client: fresh ? request.client.spec : undefined,
  });
  const dockerConfig = dockerConfigDirectory(runtime);
  if (verifier !== undefined) await checkContextOf(spec, verifier, state, dockerConfig);
  const changed = await apply(request, { ...run, opened: new Map([[spec.name, opened]]) });
  const rendered = renderChange(changed, context);
  const [outcome] = changed.results;
  const name = changed.wanted.verifyAs?.[0] ?? '';
  if (changed.planned !== undefined) return { ...rendered, result: { client: name, ...(rendered.result as object) } };
  if (outcome?.kind !== 'done') throw new DockerTlsErrors(rendered.errors ?? []);
  await makeOwn(store, name);
  await writeFleet?.();
  // The host is done, whatever becomes of the context.
  const own = clientsFor({ ...changed.wanted, credentials: [] }, changed.state).slice(0, 1);
  const errors = await giveContexts([spec], own, { store, dockerConfig, now: runtime.now });
  return finish(context, spec, outcome, name, errors.length > 0 ? undefined : docker, errors);
}

/** What stands against a setup at all is said before a question is asked. */
function refuseEarly(
  { name, ssh, port }: HostSpec,
  opened: OpenedHost,
  state: StoreState,
  takeOver: boolean,
  runtime: SetupContext['runtime'],
): void {
  const { login, dialled } = opened.session;
  const twin = otherName(opened.facts, { name, ssh }, state, dialled, { known: knownHosts(state), takeOver });
  const problems = preflight({ ...opened, login, host: name, port, nowMs: runtime.now().getTime() });
  refuseProblems({ problems: [...(twin === undefined ? [] : [twin]), ...problems] });
}

/** An address that cannot be reached from here is asked for at once: everything is verified by it. */
async function withOpenWay(
  { prompts, runtime }: SetupContext,
  flags: HostFlags,
  answers: Answers,
  opened: OpenedHost,
): Promise<Answers> {
  const { spec } = answers;
  const { dialled } = opened.session;
  const at = { address: spec.address ?? dialled, port: spec.port };
  const direct = flags.address === undefined && spec.reach !== 'ssh';
  const problem = direct ? await wayProblem(runtime.probe, spec.name, at) : undefined;
  if (problem === undefined) return answers;
  const address = await askAddress(prompts, runtime, spec, dialled, problem);
  return { ...answers, spec: withAddress(spec, address, opened, flags) };
}

/** A context of that name that is not ours: said before the host is changed, not after. */
async function refuseContext(name: string, runtime: SetupContext['runtime']): Promise<void> {
  const found = await readContext({ name, dockerConfig: dockerConfigDirectory(runtime) });
  if (found === undefined || found.ours) return;
  throw new DockerTlsError({
    code: 'E_CONTEXT_EXISTS',
    where: name,
    message: `there is a docker context ${name} already, and docker-tls did not write it`,
    hints: ['choose another name: --context NAME', `docker context inspect ${name}`],
  });
}

function finish(
  context: SetupContext,
  spec: HostSpec,
  result: Extract<HostResult<HostOutcome>, { kind: 'done' }>,
  client: string,
  docker: string | undefined,
  errors: readonly DockerTlsError[],
): CommandResult {
  const { value } = result;
  const colours = coloursOf(context.runtime.io);
  const endpoint = dockerHost(value.address, spec.port);
  // On a terminal the progress has said already how it ended.
  const verified = context.runtime.io.errIsTerminal
    ? `\nVerified from here, over new connections:\n${[renderChecks(value.checks, colours), ...renderWarnings(value.warnings, colours)].join('\n')}`
    : renderOutcome(value, colours);
  // Only those that were tried.
  const accepted = value.checks.flatMap(({ who, expected, ok }) =>
    expected === 'accepted' && ok ? [colours.bold(who.replace(/^client /, ''))] : [],
  );
  const sentence = accepted.length === 0 ? 'Next:' : `${endpoint} accepts ${accepted.join(', ')}. Next:`;
  return {
    exit: 0,
    result: { ...(outcomeJson(result) as object), endpoint, client, ...(docker ? { context: docker } : {}) },
    text: [verified, '', sentence].join('\n'),
    next: useCommands(spec, docker, context.runtime),
    attention: renderAttention([result]),
    errors,
  };
}
