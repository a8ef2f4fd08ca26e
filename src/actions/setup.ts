/** Owns `setup`: questions about a host, its plan, the change, and docker's context for it here. */

import { readContext } from '../adapters/docker/contexts.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { contextName, type HostFlags, specFor } from '../domain/fleet/specs.ts';
import { checkName } from '../domain/names.ts';
import { kindOf } from '../domain/plan/host-kind.ts';
import type { HostSpec } from '../domain/settings.ts';
import { renderTool } from '../domain/tools/tools.ts';
import type { OpenedHost } from '../engine/intent.ts';
import { findHost, openHost } from '../engine/steps/connect.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { DockerTlsError, DockerTlsErrors } from '../errors/errors.ts';
import { dockerConfigDirectory } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { type ApplyRequest, apply, clientsFor, wantedHosts } from './apply.ts';
import { checkContextOf, giveContexts } from './context.ts';
import { contextHere } from './contexts-of-host.ts';
import { caSpec, clientSpec, hostFlags } from './flags.ts';
import { fleetCaToStore } from './fleet-ca.ts';
import { type FleetFile, openFleetFile, sudoReference } from './fleet-file.ts';
import { makeOwn } from './own-client.ts';
import { type Changed, failuresOf } from './results.ts';
import { confirming, type FleetRun, openRun } from './run.ts';
import { askOtherClients, askTakeOver, confirmOrEdit, Edit } from './setup-consent.ts';
import { refuseEarly, withOpenWay } from './setup-opened.ts';
import {
  type Answers,
  askDestination,
  editAnswers,
  propose,
  type SetupContext,
  type SetupOptions,
  whatThisIs,
} from './setup-questions.ts';
import { storeOf } from './store.ts';
import { accessHere } from './tool-config.ts';

export type SetUp = {
  readonly changed: Changed;
  readonly spec: HostSpec;
  /** Who verified the host. */
  readonly client: string;
  /** The docker context that was made, or was there; undefined: none. */
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
  const { runtime, prompts } = context;
  const flags = hostFlags(options, runtime.cwd);
  if (options.client !== undefined) checkName('client', options.client);
  const fleet = await openFleetFile(context);
  const state = await storeOf(context).read();
  const { first, run, editable, reached, reach, ...found } = await reachHost(context, typed, flags, fleet, state);
  let { opened } = found;
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
      const requested = { ...answers, takeOver, rejectOthers, spec: { ...answers.spec, ...settings } };
      try {
        return await changeSetUp(context, requested, { run, opened, state });
      } catch (error) {
        if (!(error instanceof Edit)) throw error;
        opened = await reach();
        reached.pause();
        answers = await editAnswers(context, flags, answers, opened, state);
      }
    }
  } finally {
    await opened.session.close();
  }
}

/** The host that is meant, open. Where a person was asked for it, what does not lead to one is asked for again. */
async function reachHost(
  context: SetupContext,
  typed: string | undefined,
  flags: HostFlags,
  fleet: FleetFile | undefined,
  state: StoreState,
) {
  const { options, prompts, progress } = context;
  let problem: DockerTlsError | undefined;
  for (;;) {
    const host = (typed ?? (await askDestination(context, problem))).trim();
    const first = fleet?.specFor(host, state, flags) ?? specFor(host, state, flags);
    const known = state.hosts.has(first.name);
    const editable = prompts.interactive && !known;
    // With --yes the plan is shown as well: it is the first that this host gets.
    const confirm = confirming(context, true, editable ? (question) => confirmOrEdit(context, question) : undefined);
    const run = await openRun(
      context,
      options,
      { specs: [first], secrets: fleet?.secretsOf([first]) ?? {}, ca: fleet?.ca },
      { confirm },
    );
    const reached = progress.host(first.name);
    // The record of a known host names its Docker, also while that one is down.
    const next = run.asks || run.dryRun ? 'unknown' : 'change';
    const reach = () => (known ? openHost : findHost)(first, run, reached, next);
    try {
      return { first, run, editable, reached, reach, opened: await reach() };
    } catch (error) {
      if (typed !== undefined || !(error instanceof DockerTlsError) || !NO_HOST.includes(error.code)) throw error;
      reached.pause();
      problem = error;
    }
  }
}

const NO_HOST: readonly ErrorCode[] = [
  'E_SSH_NAME',
  'E_SSH_REFUSED',
  'E_SSH_UNREACHABLE',
  'E_SSH_TIMEOUT',
  'E_SSH_AUTH',
];

type Requested = Answers & { readonly takeOver: boolean; readonly rejectOthers: boolean };

/** The host as the answers have it, and docker here. */
async function changeSetUp(
  context: SetupContext,
  { spec: requested, client, context: docker, file, takeOver, rejectOthers }: Requested,
  { run, opened, state }: { readonly run: FleetRun; readonly opened: OpenedHost; readonly state: StoreState },
): Promise<SetUp> {
  const { options, global, runtime } = context;
  const { store } = run;
  if (docker !== undefined) await refuseContext(docker, runtime);
  const spec =
    docker === undefined || contextName(requested) !== undefined ? requested : { ...requested, context: docker };
  const request: ApplyRequest = {
    reason: 'setup',
    ownCa: await fleetCaToStore(run, state),
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
  const after = await store.read();
  const ownClient = ownClientCommands(after, name, spec, opened, runtime.program);
  const leading = docker ?? (await contextHere(spec.name, after, dockerConfig));
  return { changed, spec, client: name, context: errors.length > 0 ? undefined : leading, ownClient, errors };
}

/** As `env --format` prints them, without remarks; none where the host is reached through ssh only. */
function ownClientCommands(
  state: StoreState,
  clientName: string,
  spec: HostSpec,
  opened: OpenedHost,
  program: string,
): string[] {
  const tool = kindOf(opened.facts).engine.client;
  const host = state.hosts.get(spec.name);
  const client = state.clients.get(clientName);
  if (tool === undefined || spec.reach === 'ssh' || host === undefined || client === undefined) return [];
  return renderTool(tool, [accessHere(host, client, program)], () => '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** Refuses a context of that name that is not ours, before the host is changed. */
async function refuseContext(name: string, runtime: SetupContext['runtime']): Promise<void> {
  const found = await readContext({ name, dockerConfig: dockerConfigDirectory(runtime) });
  if (found === undefined || found.ours) return;
  throw new DockerTlsError(
    'E_CONTEXT_EXISTS',
    `there is a docker context ${name} already, and docker-tls did not write it`,
    { where: name, hints: ['choose another name: --context NAME', `docker context inspect ${name}`] },
  );
}
