/** `setup` on an open host: questions, the change, and docker's context for it here. */

import { DockerTlsError, DockerTlsErrors, interrupted } from '../../errors/errors.ts';
import { readContext } from '../adapters/docker/contexts.ts';
import { contextName, withSeenKey } from '../domain/fleet/specs.ts';
import { kindOf } from '../domain/plan/host-kind.ts';
import { whatThisIs } from '../domain/plan/setup-questions.ts';
import type { HostSpec } from '../domain/settings.ts';
import { usableClients } from '../domain/trust/clients.ts';
import { type ApplyRequest, clientsFor, hostsIntent, wantedHosts } from '../domain/trust/wanted-hosts.ts';
import { change } from '../engine/change.ts';
import type { OpenedHost } from '../engine/intent.ts';
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
  /** Who verified the host. */
  readonly client: string;
  /** The docker context that was made, or was there; undefined: none. */
  readonly context: string | undefined;
  /** Commands that tell the engine's own client of the host, where that is another than docker. */
  readonly ownClient: readonly string[];
  /** Why that context could not be made; the host is done all the same. */
  readonly errors: readonly DockerTlsError[];
};

export type ReachedHost = {
  /** As the options have it. */
  readonly first: HostSpec;
  readonly opened: OpenedHost;
  readonly run: FleetRun;
  /** The plan may be sent back for other answers. */
  readonly editable: boolean;
  readonly reached: HostProgress;
  /** Opens it again. */
  reach(): Promise<OpenedHost>;
};

/** Sets up a host that is open, and closes it. Fails as setUpHost does. */
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

/** The host as the answers have it, and docker here. */
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
  const wanted = wantedHosts(request, state, runtime.now());
  const [verifier] = clientsFor(wanted, state);
  const fresh = wanted.credentials.some(({ kind }) => kind === 'client');
  const writeFleet = await file?.edit(spec, {
    sudoPassword: sudoReference(options, runtime.cwd),
    client: fresh ? request.client.spec : undefined,
  });
  const dockerConfig = dockerConfigDirectory(runtime);
  if (verifier !== undefined) await checkContextOf(spec, verifier, state, dockerConfig);
  const changed = await change(hostsIntent(request), { ...run, opened: new Map([[spec.name, opened]]) });
  const name = changed.wanted.verifyAs?.[0] ?? '';
  if (changed.planned !== undefined) return { changed, spec, client: name, context: docker, ownClient: [], errors: [] };
  const [result] = changed.results;
  if (result?.kind === 'skipped') throw interrupted(result.reason, { where: spec.name });
  if (result?.kind !== 'done') throw new DockerTlsErrors(failuresOf(changed));
  await makeOwn(store, name);
  await writeFleet?.();
  // The host is done, whatever becomes of the context.
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
