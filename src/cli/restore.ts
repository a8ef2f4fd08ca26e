/** Owns what `rollback` and `remove` have in common: which hosts, and how they are reached. */

import type { StoreState } from '../adapters/store/records.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { Run } from '../engine/intent.ts';
import { specFor } from '../engine/specs.ts';
import type { OptionSpecs, OptionValues } from './command.ts';
import { openFleetFile } from './fleet-file.ts';
import { runFlags, SAFETY_OPTIONS, SSH_OPTIONS } from './host-options.ts';
import { type Around, openRun } from './run.ts';
import { storeOf } from './store.ts';

export const RESTORE_OPTIONS = { ...SSH_OPTIONS, ...SAFETY_OPTIONS } as const satisfies OptionSpecs;

export async function openRestore(
  context: Around,
  names: readonly string[],
  options: OptionValues<typeof RESTORE_OPTIONS>,
): Promise<{ readonly run: Run; readonly state: StoreState; readonly hosts: readonly HostSpec[] }> {
  const state = await storeOf(context).read();
  const flags = runFlags(options, context.runtime.cwd);
  const fleet = await openFleetFile(context);
  // What the store knows of a host is how it was left; one that another store set up may still be in the file.
  const hosts = names.map((host) =>
    state.hosts.has(host) ? specFor(host, state, flags) : (fleet ?? { specFor }).specFor(host, state, flags),
  );
  const sudoPassword = Object.fromEntries(
    hosts.flatMap(({ name }) => {
      const reference = fleet?.secrets.sudoPasswordOf(name);
      return reference === undefined ? [] : [[name, reference]];
    }),
  );
  return { run: await openRun(context, options, { specs: hosts, secrets: { sudoPassword } }), state, hosts };
}
