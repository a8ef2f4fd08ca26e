/** Requests of clients on the chosen hosts, for the commands that read their logs. */

import type { ActionContext } from '../../../core/actions/action-context.ts';
import { runFlags } from '../../../core/actions/host-flags.ts';
import { storeOf } from '../../../core/actions/open-store.ts';
import { type RunOptions, sudoPasswords } from '../../../core/actions/run.ts';
import { type SelectionOptions, selectSpecs } from '../../../core/actions/select-hosts.ts';
import type { HostResult } from '../../../core/domain/host-results.ts';
import { type JournalRequest, readLogs } from '../engine/read-log.ts';

export type LogOptions = RunOptions & SelectionOptions & { readonly since: number | undefined };

const DAY_MS = 86_400_000;

export async function loggedRequests(
  context: ActionContext,
  hosts: readonly string[],
  options: LogOptions,
): Promise<HostResult<readonly JournalRequest[]>[]> {
  const { global, runtime, progress, prompts } = context;
  const state = await storeOf(context).read();
  const selected = await selectSpecs(context, hosts, options, state, runFlags(options, runtime.cwd));
  return readLogs(selected.specs, {
    ...{ runtime, progress, parallel: global.parallel, ask: prompts.ssh, sinceMs: options.since ?? DAY_MS },
    ...(await sudoPasswords(options, selected, context)),
  });
}
