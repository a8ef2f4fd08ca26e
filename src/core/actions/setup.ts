/** `setup` up to the connection to its host; setup-reached.ts has the rest. */

import type { ErrorCode } from '../../errors/catalogue.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { specFor } from '../domain/fleet/specs.ts';
import { checkName } from '../domain/names.ts';
import { findHost, openHost } from '../engine/steps/connect.ts';
import type { ActionContext } from './action-context.ts';
import { hostFlags } from './flags.ts';
import { openFleetFile } from './fleet-file.ts';
import { confirming, openRun } from './run.ts';
import { confirmOrEdit } from './setup-consent.ts';
import type { SetupContext, SetupOptions } from './setup-questions.ts';
import { askDestination } from './setup-questions.ts';
import { type ReachedHost, type SetUp, setUpReached } from './setup-reached.ts';
import { storeOf } from './store.ts';

/** Fails if the host was not changed, as the run does, and with E_USAGE, E_NAME, E_HOST_NAME, E_FLEET (exit 2). */
export async function setUpHost(
  around: ActionContext,
  typed: string | undefined,
  options: SetupOptions,
): Promise<SetUp> {
  const flags = await hostFlags(options, around.runtime.cwd);
  if (options.client !== undefined) checkName('client', options.client);
  const fleet = await openFleetFile(around);
  const context = { ...around, options, flags, fleet, state: await storeOf(around).read() };
  const reached = await reachHost(context, typed);
  return setUpReached(context, reached);
}

/** Connects to the requested host. Repeats the question if the typed destination leads to no host. */
async function reachHost(context: SetupContext, typed: string | undefined): Promise<ReachedHost> {
  const { options, flags, fleet, state, prompts, progress } = context;
  let problem: DockerTlsError | undefined;
  for (;;) {
    const host = (typed ?? (await askDestination(context, problem))).trim();
    const first = fleet?.specFor(host, state, flags) ?? specFor(host, state, flags);
    const known = state.hosts.has(first.name);
    // Clients would dial that address; without this check the error would come only after a login.
    if (first.address === undefined && first.ssh.destination.includes('%')) throw zoned(first.ssh.destination);
    const editable = prompts.interactive && !known;
    // The user sees the plan even with --yes, because it is this host's first.
    const edit = async (question: string) => confirmOrEdit(context, question);
    const confirm = confirming(context, true, editable ? edit : undefined);
    const run = await openRun(
      context,
      options,
      { specs: [first], secrets: fleet?.secretsOf([first]) ?? {}, ca: fleet?.ca },
      { confirm, state },
    );
    const reached = progress.host(first.name);
    // The record of a known host names its Docker, even while that is down.
    const next = run.asks || run.dryRun ? 'unknown' : 'change';
    const reach = () => (known ? openHost : findHost)(first, run, reached, { next });
    try {
      return { first, run, editable, reached, reach, opened: await reach() };
    } catch (error) {
      if (typed !== undefined || !(error instanceof DockerTlsError) || !NO_HOST.includes(error.code)) throw error;
      reached.pause();
      problem = error;
    }
  }
}

function zoned(destination: string): DockerTlsError {
  return new DockerTlsError(
    'E_NAME',
    `clients cannot dial ${destination}: a zone is good on one computer only, and docker verifies no address that has one`,
    { hints: ['name what they dial: --address NAME'] },
  );
}

const NO_HOST: readonly ErrorCode[] = [
  'E_SSH_NAME',
  'E_SSH_REFUSED',
  'E_SSH_UNREACHABLE',
  'E_SSH_TIMEOUT',
  'E_SSH_AUTH',
];
