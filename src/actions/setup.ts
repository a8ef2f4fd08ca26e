/** Owns `setup`: questions about a host, its plan, the change, and docker's context for it here. */

import type { StoreState } from '../adapters/store/records.ts';
import { type HostFlags, specFor } from '../domain/fleet/specs.ts';
import { checkName } from '../domain/names.ts';
import { findHost, openHost } from '../engine/steps/connect.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { DockerTlsError } from '../errors/errors.ts';
import type { ActionContext } from './action-context.ts';
import { hostFlags } from './flags.ts';
import { type FleetFile, openFleetFile, secretsOf } from './fleet-file.ts';
import { confirming, openRun } from './run.ts';
import { changeSetUp, type SetUp } from './setup-change.ts';
import { askOtherClients, askTakeOver, confirmOrEdit, Edit } from './setup-consent.ts';
import { refuseEarly, withOpenWay } from './setup-opened.ts';
import {
  askDestination,
  editAnswers,
  propose,
  type SetupContext,
  type SetupOptions,
  whatThisIs,
} from './setup-questions.ts';
import { storeOf } from './store.ts';

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
  const { first, run, editable, reached, reach, ...found } = await reachHost(context, typed, { flags, fleet, state });
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

type Known = {
  readonly flags: HostFlags;
  readonly fleet: FleetFile | undefined;
  readonly state: StoreState;
};

/** The host that is meant, open. Where a person was asked for it, what does not lead to one is asked for again. */
async function reachHost(context: SetupContext, typed: string | undefined, known: Known) {
  let problem: DockerTlsError | undefined;
  for (;;) {
    const host = (typed ?? (await askDestination(context, problem))).trim();
    const beginning = await begin(context, host, known);
    try {
      return { ...beginning, opened: await beginning.reach() };
    } catch (error) {
      if (typed !== undefined || !(error instanceof DockerTlsError) || !NO_HOST.includes(error.code)) throw error;
      beginning.reached.pause();
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

async function begin(context: SetupContext, host: string, { flags, fleet, state }: Known) {
  const { options, prompts, progress } = context;
  const first = fleet?.specFor(host, state, flags) ?? specFor(host, state, flags);
  const known = state.hosts.has(first.name);
  const editable = prompts.interactive && !known;
  // With --yes the plan is shown as well: it is the first that this host gets.
  const confirm = confirming(context, true, editable ? (question) => confirmOrEdit(context, question) : undefined);
  const run = await openRun(
    context,
    options,
    { specs: [first], secrets: secretsOf(fleet, [first]), ca: fleet?.ca },
    { confirm },
  );
  const reached = progress.host(first.name);
  // Which Docker of a known host is meant, its record says, also while that one is down.
  const next = run.asks || run.dryRun ? 'unknown' : 'change';
  return { first, run, editable, reached, reach: () => (known ? openHost : findHost)(first, run, reached, next) };
}
