/** `status --watch`: repeats when the store changes, and periodically, because hosts change as well. */

import { setTimeout as sleep } from 'node:timers/promises';
import { usage } from '../../errors/errors.ts';
import { waitForChange } from '../adapters/store/watch.ts';
import type { ActionContext } from './action-context.ts';
import { type Status, type StatusOptions, status } from './status.ts';
import { storeOf } from './store.ts';

const MOST_MS = 30_000;
/** A fleet in the middle of a change commits many times a second. */
const LEAST_MS = 2000;

/** Runs until interrupted. Fails as `status` does. */
export async function watchStatus(
  context: ActionContext,
  hosts: readonly string[],
  options: StatusOptions & { readonly check: boolean },
  show: (now: Status) => void,
): Promise<void> {
  const { global, runtime } = context;
  const { signal } = runtime;
  for (const [name, given] of [
    ['--json', global.json],
    ['--check', options.check],
  ] as const) {
    if (given) throw usage(`--watch ends with Ctrl-C alone, and ${name} needs an end`, ['docker-tls status --watch']);
  }
  const store = storeOf(context);
  while (!signal.aborted) {
    const changed = await store.watch();
    runtime.forgetFirstKeys();
    try {
      show(await status(context, hosts, options));
      await sleep(LEAST_MS, undefined, { signal });
      await waitForChange(changed, { mostMs: MOST_MS, signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
