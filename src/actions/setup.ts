/** Owns `setup`: questions about a host, its plan, the change, and docker's context for it here. */

import { readContext } from '../adapters/docker/contexts.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { contextName, type HostFlags, specFor } from '../domain/fleet/specs.ts';
import { checkName } from '../domain/names.ts';
import { kindOf } from '../domain/plan/host-kind.ts';
import { knownHosts, otherName } from '../domain/plan/other-store.ts';
import { preflight } from '../domain/plan/preflight.ts';
import type { HostSpec } from '../domain/settings.ts';
import { renderTool } from '../domain/tools/tools.ts';
import type { OpenedHost, Run } from '../engine/intent.ts';
import { wayProblem } from '../engine/reachability.ts';
import { openHost } from '../engine/steps/connect.ts';
import { refuseProblems } from '../engine/steps/preflight.ts';
import { DockerTlsError, DockerTlsErrors } from '../errors/errors.ts';
import { dockerConfigDirectory } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { checkContextOf, giveContexts } from './context.ts';
import { caSpec, clientSpec, hostFlags } from './flags.ts';
import { openFleetFile, sudoReference } from './fleet-file.ts';
import { makeOwn } from './own-client.ts';
import { type Changed, failuresOf } from './results.ts';
import { confirming, openRun } from './run.ts';
import { askOtherClients, askTakeOver, confirmOrEdit, Edit } from './setup-consent.ts';
import {
  type Answers,
  askAddress,
  askDestination,
  editAnswers,
  propose,
  type SetupContext,
  type SetupOptions,
  whatThisIs,
  withAddress,
} from './setup-questions.ts';
import { storeOf } from './store.ts';
import { accessHere } from './tool-config.ts';
import { type ApplyRequest, apply, clientsFor, wantedHosts } from './wanted-hosts.ts';

export type SetUp = {
  readonly changed: Changed;
  readonly spec: HostSpec;
  /** Who verified the host. */
  readonly client: string;
  /** The docker context that was made; undefined: none. */
  readonly context: string | undefined;
  /** Commands that tell the engine's own client of the host, where that is another than docker. */
  readonly ownClient: readonly string[];
  /** Why that context could not be made; the host is done all the same. */
  readonly errors: readonly DockerTlsError[];
};

/** Fails where the host was not changed, as the run does, and with E_USAGE, E_NAME, E_HOST_NAME, E_FLEET (exit 2). */
export async function setUpHost(
  around: ActionContext,
  typed: string | undefined,
  options: SetupOptions,
): Promise<SetUp> {
  const context = { ...around, options };
  const { runtime, prompts, progress } = context;
  const flags = hostFlags(options, runtime.cwd);
  if (options.client !== undefined) checkName('client', options.client);
  const fleet = await openFleetFile(context);
  const state = await storeOf(context).read();
  const host = (typed ?? (await askDestination(context))).trim();
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
      const requested: Requested = { ...answers, takeOver, rejectOthers, spec: { ...answers.spec, ...settings } };
      try {
        return await carryOut(context, requested, { run, opened, state });
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
}

type Requested = Answers & { readonly takeOver: boolean; readonly rejectOthers: boolean };

/** The host as the answers have it, and docker here. */
async function carryOut(
  context: SetupContext,
  { spec: requested, client, context: docker, file, takeOver, rejectOthers }: Requested,
  { run, opened, state }: { readonly run: Run; readonly opened: OpenedHost; readonly state: StoreState },
): Promise<SetUp> {
  const { options, global, runtime } = context;
  const { store } = run;
  if (docker !== undefined) await refuseContext(docker, runtime);
  const spec =
    docker === undefined || contextName(requested) !== undefined ? requested : { ...requested, context: docker };
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
  const name = changed.wanted.verifyAs?.[0] ?? '';
  if (changed.planned !== undefined) return { changed, spec, client: name, context: docker, ownClient: [], errors: [] };
  if (changed.results[0]?.kind !== 'done') throw new DockerTlsErrors(failuresOf(changed));
  await makeOwn(store, name);
  await writeFleet?.();
  // The host is done, whatever becomes of the context.
  const own = clientsFor({ ...changed.wanted, credentials: [] }, changed.state).slice(0, 1);
  const errors = await giveContexts([spec], own, { store, dockerConfig, now: runtime.now });
  const ownClient = ownClientOf(context, spec, opened, { state: await store.read(), own: own[0] });
  return { changed, spec, client: name, context: errors.length > 0 ? undefined : docker, ownClient, errors };
}

/** As `env --format` prints it, without its remarks. */
function ownClientOf(
  { runtime }: SetupContext,
  { name, reach }: HostSpec,
  { facts }: OpenedHost,
  { state, own }: { readonly state: StoreState; readonly own: ReturnType<typeof clientsFor>[number] | undefined },
): string[] {
  const tool = kindOf(facts).engine.client;
  const host = state.hosts.get(name);
  const client = state.clients.get(own?.record.name ?? '');
  if (tool === undefined || reach === 'ssh' || host === undefined || client === undefined) return [];
  return renderTool(tool, [accessHere(host, client, runtime.program)], () => '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** What prevents a setup is said before a question is asked. */
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
