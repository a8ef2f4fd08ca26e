/** `setup`: a host from flags, or from the answers of a wizard. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { CA_OPTIONS, HOST_OPTIONS, REJECT_OPTION, SSH_OPTIONS, TAKE_OVER_OPTION } from '../../cli/host-options.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import { DockerTlsError, DockerTlsErrors, interrupted, printable } from '../../errors/errors.ts';
import { noAnswer } from '../actions/ask.ts';
import { openFleetFile } from '../actions/fleet-files.ts';
import { caSpec, clientSpec, hostFlags } from '../actions/host-flags.ts';
import { storeOf } from '../actions/open-store.ts';
import { makeOwn } from '../actions/own-client.ts';
import { type Changed, failuresOf } from '../actions/results.ts';
import { confirming, openRun } from '../actions/run.ts';
import { propose, refuseUndialled, whatThisIs, withContext } from '../actions/setup-proposal.ts';
import { dockerHost } from '../domain/destination.ts';
import { withSeenKey } from '../domain/hosts/recorded-key.ts';
import { specFor } from '../domain/hosts/specs.ts';
import { checkName } from '../domain/names.ts';
import { hasPort } from '../domain/network-port.ts';
import { kindOf } from '../domain/plan/host-kind.ts';
import { otherName } from '../domain/plan/other-store.ts';
import type { HostSpec } from '../domain/settings.ts';
import { usableClients } from '../domain/trust/clients.ts';
import { type ApplyRequest, clientsFor, hostsIntent } from '../domain/trust/wanted-hosts.ts';
import { changeHosts } from '../engine/change.ts';
import type { OpenedHost, Run } from '../engine/intent.ts';
import { problemsOf, refuseProblems } from '../engine/steps/check-host.ts';
import { findHost, openHost } from '../engine/steps/open-host.ts';
import { knownHosts, resolveIntent } from '../engine/steps/resolve-intent.ts';
import {
  type ChangedHostDocument,
  changedHostDocument,
  type PlannedChangeDocument,
} from '../render/change-document.ts';
import { type RenderContext, renderPlanned } from '../render/change-result.ts';
import { coloursOf } from '../render/colours.ts';
import { renderAttention, renderChecks, renderOutcome, renderWarnings } from '../render/host-outcome.ts';
import { useCommands } from '../render/next.ts';
import { COPIES, copiesCode } from '../seams/copies.ts';
import { toolFormat } from '../seams/formats.ts';
import { offeredCommands } from '../seams/offered-commands.ts';
import { offered, offeredLines } from '../seams/seam.ts';
import { type SetupAnswers, type SetupContext, WIZARD, type Wizard } from '../seams/wizard.ts';

/** In a dry run the plan, otherwise the host as it was changed. */
export type SetupDocument =
  | (PlannedChangeDocument & { readonly client?: string | undefined })
  | (ChangedHostDocument & {
      /** Where clients reach the daemon: `tcp://HOST:PORT`. Absent for a host without a port. */
      readonly endpoint?: string | undefined;
      /** The client used for the verification. Absent if no client can connect. */
      readonly client?: string | undefined;
      /** The docker context, new or existing. */
      readonly context?: string;
    });

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about: `${WIZARD.all.length > 0 ? 'Asks what it cannot find out, shows' : 'Shows'} what it would change, and asks once before it changes the host.\nEvery question has a flag, so with --yes it asks nothing. A second run changes nothing.`,
  examples: [
    ...offeredLines(WIZARD, 'docker-tls setup'),
    'docker-tls setup root@build-1 -i ~/.ssh/id_ed25519 --host-key accept-new --no-ca-passphrase --client laptop --yes',
  ],
  args: { host: { summary: '[user@]name[:port], ssh://…, or local' } },
  options: {
    ...SSH_OPTIONS,
    ...HOST_OPTIONS,
    ...TAKE_OVER_OPTION,
    ...REJECT_OPTION,
    ...CA_OPTIONS,
    ...offered(COPIES, {
      noContext: { kind: 'flag', group: 'Docker CLI', summary: 'make no docker context' },
    } as const),
    client: {
      kind: 'text',
      value: 'NAME',
      summary: "name of this computer's client (default: your user name)",
      completes: 'client',
    },
  },
  /** Fails if the host was not changed, as the run does, and with E_USAGE, E_NAME, E_HOST_NAME, E_FLEET (exit 2). */
  async run({ args, options, ...around }) {
    const flags = await hostFlags(options, around.runtime.cwd);
    if (options.client !== undefined) checkName('client', options.client);
    const fleet = await openFleetFile(around);
    const context = { ...around, options, flags, fleet, state: await storeOf(around).read() };
    const wizard = context.prompts.interactive ? await WIZARD.all[0]?.load() : undefined;
    return setUpReached(context, await reachHost(context, args.host, wizard), wizard);
  },
});

/** The answer to a plan that requests another one. */
class Edit extends Error {}

/** Connects to the requested host. Repeats the question if the typed destination leads to no host. */
async function reachHost(context: SetupContext, typed: string | undefined, wizard: Wizard | undefined) {
  const { options, flags, fleet, state, progress, global } = context;
  let problem: DockerTlsError | undefined;
  for (;;) {
    const host = (typed ?? (await wizard?.askHost(context, problem)))?.trim();
    if (host === undefined) throw noAnswer('Host:', { flag: 'HOST' }, context.runtime.io, global.yes);
    const first = fleet?.specFor(host, state, flags) ?? specFor(host, state, flags);
    const known = state.hosts.has(first.name);
    await refuseUndialled(first, options);
    const editor = known ? undefined : wizard;
    const confirmOrEdit = async (question: string): Promise<void> => {
      if ((await editor?.confirm(context, question)) === 'edit') throw new Edit();
    };
    // The user sees the plan even with --yes, because it is this host's first.
    const confirm = confirming(context, true, editor && confirmOrEdit);
    const run = await openRun(
      context,
      options,
      { specs: [first], secrets: fleet?.secretsOf([first]) ?? {}, ca: fleet?.ca },
      { confirm, state },
    );
    const reached = progress.host(first.name);
    // The record of a known host names its Docker, even while that is down.
    const reach = () => (known ? openHost : findHost)(first, run, reached, !run.asks && !run.dryRun);
    try {
      return { first, run, editor, reached, reach, opened: await reach() };
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

/** Sets up a connected host, and closes the connection. With an `editor`, the user may send the plan back to change answers. */
async function setUpReached(
  context: SetupContext,
  { first, run, editor, reached, reach, ...host }: Awaited<ReturnType<typeof reachHost>>,
  wizard: Wizard | undefined,
): Promise<CommandResult> {
  let { opened } = host;
  try {
    reached.pause(whatThisIs(opened.facts));
    if (context.prompts.interactive) refuseEarly(context, first, opened);
    const proposed = propose(context, first, opened);
    const completed = (await wizard?.complete(context, proposed, opened, editor !== undefined)) ?? proposed;
    let answers = await withContext(context, completed, first, opened);
    for (;;) {
      try {
        return await changeSetUp(context, answers, run, opened);
      } catch (error) {
        if (!(error instanceof Edit) || editor === undefined) throw error;
        opened = await reach();
        reached.pause();
        answers = await editor.edit(context, answers, opened);
      }
    }
  } finally {
    await opened.session.close();
  }
}

/** Sets up the host according to the answers, and docker on this machine. */
async function changeSetUp(
  context: SetupContext,
  { spec: requested, client, file, takeOver, rejectOthers }: SetupAnswers,
  run: Run,
  opened: OpenedHost,
): Promise<CommandResult<SetupDocument>> {
  const { options, global, runtime, state } = context;
  const { store } = run;
  // A fleet file gets the key in place of accept-new, and no other: the record has it.
  const spec = requested.ssh.hostKey === 'accept-new' ? withSeenKey(requested, opened.session.hostKey) : requested;
  const request: ApplyRequest = {
    reason: 'setup',
    ownCa: await run.signer?.changes(state, run),
    hosts: [spec],
    ca: caSpec(options, file?.ca),
    client: { spec: clientSpec(client.name, { keyType: spec.keyType, days: options.days }), named: client.requested },
    takeOver,
    rejectOthers,
    addHardening: global.file === undefined,
  };
  const resolved = await resolveIntent(hostsIntent(request), { ...run, opened: new Map([[spec.name, opened]]) });
  const { wanted } = resolved;
  const fresh = wanted.credentials.some(({ kind }) => kind === 'client');
  const writeFleet = await file?.edit(spec, {
    secrets: options,
    client: fresh ? request.client.spec : undefined,
  });
  const copies = await copiesCode();
  const clients = clientsFor(wanted, resolved.state).slice(0, 1);
  await copies?.check([spec], clients, resolved.state, { runtime, command: 'setup' });
  const changed = await changeHosts(resolved);
  const name = changed.wanted.verifyAs?.[0];
  if (changed.planned !== undefined) {
    const { result, ...rest } = renderPlanned(changed.planned, context);
    return { ...rest, result: { client: name, ...result } };
  }
  const [result] = changed.results;
  if (result?.kind === 'skipped') throw interrupted(result.reason, { where: spec.name });
  if (result?.kind !== 'done') throw new DockerTlsErrors(failuresOf(changed));
  if (name !== undefined) await makeOwn(store, name);
  await writeFleet?.();
  // The host is done, whether or not the context succeeds.
  const own = usableClients(changed.state, changed.wanted.verifyAs).slice(0, 1);
  const errors = (await copies?.make([spec], own, { store, runtime })) ?? [];
  const after = await store.read();
  const tool = spec.reach === 'ssh' || name === undefined ? undefined : kindOf(opened.facts).engine.client;
  const format = tool === undefined ? undefined : toolFormat(tool);
  const ownClient =
    format === undefined || name === undefined
      ? []
      : (await format.load()).commandsHere(after, spec.name, name, runtime.program);
  const access = {
    spec,
    client: name,
    context: errors.length > 0 ? undefined : await copies?.here(spec, after, runtime),
    ownClient,
    first: state.hosts.size === 0,
  };
  return { ...renderSetUp(result, access, context), errors };
}

/** Fails with every obstacle to the setup, before the first question. */
function refuseEarly({ options, runtime, state }: SetupContext, spec: HostSpec, opened: OpenedHost): void {
  const about = { known: knownHosts(state), takeOver: options.takeOver };
  const twin = otherName(opened.facts, spec, state, opened.session.dialled, about);
  const problems = problemsOf(opened, spec, runtime.now());
  refuseProblems({ problems: [...(twin === undefined ? [] : [twin]), ...problems] });
}

type Access = {
  readonly spec: HostSpec;
  /** The client used for verification; undefined: none. */
  readonly client: string | undefined;
  /** The docker context, new or existing; undefined: none. */
  readonly context: string | undefined;
  /** The store had no host before: no schedule can have renewed one. */
  readonly first: boolean;
  /** Commands that configure the engine's own client for the host, if it is not docker. */
  readonly ownClient: readonly string[];
};

function renderSetUp(
  outcome: Extract<Changed['results'][number], { kind: 'done' }>,
  { spec, client, context, ownClient, first }: Access,
  around: RenderContext,
): CommandResult<SetupDocument> {
  const { value } = outcome;
  const { io } = around.runtime;
  const colours = coloursOf(io);
  const endpoint = hasPort(spec) ? dockerHost(value.address, spec.port) : undefined;
  const via = value.checks.find((check) => check.via !== undefined)?.via;
  // On a terminal the progress already shows it.
  const verified = io.errIsTerminal
    ? `\nVerified ${via === undefined ? 'from here' : printable(`through ${via}`)}, over new connections:\n${[renderChecks(value.checks, colours), ...renderWarnings(value.warnings, colours)].join('\n')}`
    : renderOutcome(value, colours);
  // Only verified clients.
  const accepted = value.checks.flatMap(({ who, expected, ok, onHost }) =>
    expected === 'accepted' && ok && !onHost ? [colours.bold(who.replace(/^client /, ''))] : [],
  );
  const sentence = [
    ...(accepted.length === 0 ? [] : [`${endpoint} accepts ${accepted.join(', ')}.`]),
    ...(first ? ['Nothing renews by itself until you schedule it.'] : []),
    'Next:',
  ].join(' ');
  return {
    exit: 0,
    result: { ...changedHostDocument(outcome), endpoint, client, context },
    text: [verified, '', sentence].join('\n'),
    next: [...useCommands(spec, context, around.runtime), ...(first ? offeredCommands('renewals') : []), ...ownClient],
    attention: renderAttention([outcome]),
  };
}
