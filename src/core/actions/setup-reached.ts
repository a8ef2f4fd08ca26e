/** `setup` on a connected host: questions, the change, and docker's context on this machine. */

import { DockerTlsError, DockerTlsErrors, interrupted } from '../../errors/errors.ts';
import { readContext } from '../adapters/docker/contexts.ts';
import { contextName, withSeenKey } from '../domain/fleet/specs.ts';
import { kindOf } from '../domain/plan/host-kind.ts';
import { whatThisIs } from '../domain/plan/setup-questions.ts';
import type { HostSpec } from '../domain/settings.ts';
import { usableClients } from '../domain/trust/clients.ts';
import { type ApplyRequest, clientsFor, hostsIntent } from '../domain/trust/wanted-hosts.ts';
import { changeHosts } from '../engine/change.ts';
import type { OpenedHost } from '../engine/intent.ts';
import { resolveIntent } from '../engine/steps/resolve.ts';
import type { HostProgress } from '../runtime.ts';
import { toolFormat } from '../seams/formats.ts';
import { dockerConfigDirectory } from '../user.ts';
import { fleetCaToStore } from './ca-files.ts';
import { contextHere } from './contexts-of-host.ts';
import { caSpec, clientSpec } from './flags.ts';
import { sudoReference } from './fleet-file.ts';
import { makeOwn } from './own-client.ts';
import { checkContextOf, giveContexts } from './requested-contexts.ts';
import { type Changed, failuresOf } from './results.ts';
import type { FleetRun } from './run.ts';
import { askOtherClients, askTakeOver, Edit } from './setup-consent.ts';
import { refuseEarly, withOpenWay } from './setup-opened.ts';
import { type Answers, editAnswers, propose, type SetupContext } from './setup-questions.ts';

export type SetUp = {
  readonly changed: Changed;
  readonly spec: HostSpec;
  /** The client used for verification. */
  readonly client: string;
  /** The docker context, new or existing; undefined: none. */
  readonly context: string | undefined;
  /** Commands that configure the engine's own client for the host, if it is not docker. */
  readonly ownClient: readonly string[];
  /** Reasons why the context could not be created; the host itself is done. */
  readonly errors: readonly DockerTlsError[];
};

export type ReachedHost = {
  /** The host's settings from the options. */
  readonly first: HostSpec;
  readonly opened: OpenedHost;
  readonly run: FleetRun;
  /** The user may send the plan back to change answers. */
  readonly editable: boolean;
  readonly reached: HostProgress;
  /** Connects again. */
  reach(): Promise<OpenedHost>;
};

/** Sets up a connected host, and closes the connection. Fails as setUpHost does. */
export async function setUpReached(
  context: SetupContext,
  { first, run, editable, reached, reach, ...host }: ReachedHost,
): Promise<SetUp> {
  const { options, prompts } = context;
  let { opened } = host;
  try {
    reached.pause(whatThisIs(opened.facts));
    if (prompts.interactive) refuseEarly(context, first, opened);
    let answers = await propose(context, first, opened);
    if (editable) answers = await withOpenWay(context, answers, opened);
    const takeOver = options.takeOver || (await askTakeOver(context, opened, answers.spec.name));
    const settled = takeOver || options.rejectOtherClients;
    const others = settled ? undefined : await askOtherClients(context, opened, answers.spec);
    const rejectOthers = options.rejectOtherClients || others === 'reject';
    const settings = others === 'accept' ? { acceptCa: 'existing' } : {};
    for (;;) {
      const requested = { ...answers, takeOver, rejectOthers, spec: { ...answers.spec, ...settings } };
      try {
        return await changeSetUp(context, requested, run, opened);
      } catch (error) {
        if (!(error instanceof Edit)) throw error;
        opened = await reach();
        reached.pause();
        answers = await editAnswers(context, answers, opened);
      }
    }
  } finally {
    await opened.session.close();
  }
}

type Requested = Answers & { readonly takeOver: boolean; readonly rejectOthers: boolean };

/** Sets up the host according to the answers, and docker on this machine. */
async function changeSetUp(
  context: SetupContext,
  { spec: requested, client, context: docker, file, takeOver, rejectOthers }: Requested,
  run: FleetRun,
  opened: OpenedHost,
): Promise<SetUp> {
  const { options, global, runtime, state } = context;
  const { store } = run;
  if (docker !== undefined) await refuseContext(docker, runtime);
  const seen = withSeenKey(requested, opened.session.hostKey);
  const spec = docker === undefined || contextName(seen) !== undefined ? seen : { ...seen, context: docker };
  const request: ApplyRequest = {
    reason: 'setup',
    ownCa: await fleetCaToStore(run, state),
    hosts: [spec],
    ca: caSpec(options, file?.ca),
    client: { spec: clientSpec(client.name, { keyType: spec.keyType, days: options.days }), named: client.requested },
    takeOver,
    rejectOthers,
    addHardening: global.file === undefined,
  };
  const resolved = await resolveIntent(hostsIntent(request), { ...run, opened: new Map([[spec.name, opened]]) });
  const { wanted } = resolved;
  const [verifier] = clientsFor(wanted, resolved.state);
  const fresh = wanted.credentials.some(({ kind }) => kind === 'client');
  const writeFleet = await file?.edit(spec, {
    sudoPassword: sudoReference(options, runtime.cwd),
    client: fresh ? request.client.spec : undefined,
  });
  const dockerConfig = dockerConfigDirectory(runtime);
  if (verifier !== undefined) await checkContextOf(spec, verifier, resolved.state, dockerConfig);
  const changed = await changeHosts(resolved);
  const name = changed.wanted.verifyAs?.[0] ?? '';
  if (changed.planned !== undefined) return { changed, spec, client: name, context: docker, ownClient: [], errors: [] };
  const [result] = changed.results;
  if (result?.kind === 'skipped') throw interrupted(result.reason, { where: spec.name });
  if (result?.kind !== 'done') throw new DockerTlsErrors(failuresOf(changed));
  await makeOwn(store, name);
  await writeFleet?.();
  // The host is done, whether or not the context succeeds.
  const own = usableClients(changed.state, changed.wanted.verifyAs).slice(0, 1);
  const errors = await giveContexts([spec], own, { store, dockerConfig, now: runtime.now });
  const after = await store.read();
  const tool = spec.reach === 'ssh' ? undefined : kindOf(opened.facts).engine.client;
  const format = tool === undefined ? undefined : toolFormat(tool);
  const ownClient =
    format === undefined ? [] : (await format.load()).commandsHere(after, spec.name, name, runtime.program);
  const leading = docker ?? (await contextHere(spec.name, after, dockerConfig));
  return { changed, spec, client: name, context: errors.length > 0 ? undefined : leading, ownClient, errors };
}

/** Rejects an existing context that docker-tls did not write, before the host changes. */
async function refuseContext(name: string, runtime: SetupContext['runtime']): Promise<void> {
  const found = await readContext({ name, dockerConfig: dockerConfigDirectory(runtime) });
  if (found === undefined || found.ours) return;
  throw new DockerTlsError(
    'E_CONTEXT_EXISTS',
    `there is a docker context ${name} already, and docker-tls did not write it`,
    { where: name, hints: ['choose another name: --context NAME', `docker context inspect ${name}`] },
  );
}
