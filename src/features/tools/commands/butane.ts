/** `butane HOST`: the plan of one host as a first-boot file. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { RUN_OPTIONS } from '../../../cli/host-options.ts';
import { planNamedHosts } from '../../../core/actions/open-hosts.ts';
import { storeOf } from '../../../core/actions/open-store.ts';
import { failuresOf } from '../../../core/actions/results.ts';
import { hasChanges } from '../../../core/domain/plan/plan-host.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { keptOf } from '../../../core/domain/settings-stored.ts';
import { DockerTlsError, printable, usage } from '../../../errors/errors.ts';
import { renderButane } from '../domain/butane-config.ts';

export type ButaneDocument = {
  readonly host: string;
  /** The file (YAML). */
  readonly butane: string;
  /** Where butane finds the credentials. */
  readonly filesDirectory: string;
  /** `apply` would change the host. */
  readonly changes: boolean;
  readonly warnings: readonly string[];
};

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'store'],
  about:
    'Prints what plan shows as a Butane file, for machines that are configured at first boot (Fedora CoreOS, Flatcar). It holds no key and no certificate; butane reads those from the store (docs/hosts.md).\nWith --check the exit status is 3 when apply would change the host, so that its credentials may be missing in the store.',
  examples: ['docker-tls butane build-1 > build-1.bu'],
  args: { host: { summary: 'the host (default: the only one)', completes: 'host' } },
  options: {
    ...RUN_OPTIONS,
    check: { kind: 'flag', summary: 'exit with status 3 when apply would change the host' },
  },
  /** Fails with E_BUTANE, E_USAGE (exit 2), and like the plan of that host. */
  async run(context): Promise<CommandResult<ButaneDocument>> {
    const { runtime, progress, args, options } = context;
    const store = storeOf(context);
    if (store.shared)
      throw new DockerTlsError(
        'E_BUTANE',
        'no Butane file: in a shared store the keys are sealed, and butane reads files',
        { hints: ['docker-tls store copy --to DIR', 'docker-tls --home DIR butane HOST'] },
      );
    const changed = await planNamedHosts(context, args.host === undefined ? [] : [args.host], options);
    const failed = failuresOf(changed).at(-1);
    if (failed !== undefined) throw failed;
    const [planned, ...more] = (changed.planned?.hosts ?? []).flatMap((one) =>
      one.kind === 'done' ? [one.value] : [],
    );
    if (planned?.opened === undefined || more.length > 0)
      throw usage('a Butane file is for one host', ['docker-tls butane HOST > HOST.bu']);
    const { plan, opened, spec } = planned;
    // butane's directory for the credentials.
    const filesDirectory = store.home;
    const butane = renderButane(plan, opened.facts, {
      who: runtime.operator,
      now: runtime.now(),
      reason: 'first boot',
      settings: keptOf(spec),
      keep: spec.keep,
      filesDirectory,
    });
    const { warnings } = plan;
    for (const warning of warnings) progress.note(`${spec.name}: ${printable(warning)}`);
    const changes = hasChanges(plan);
    if (changes)
      progress.note(
        `${spec.name}: is not like that yet, and its credentials may not be in the store: docker-tls apply ${shellQuote(spec.name)}`,
      );
    return {
      exit: options.check && changes ? 3 : 0,
      result: { host: spec.name, butane, filesDirectory, changes, warnings },
      text: butane.replace(/\n$/, ''),
      verbatim: true,
    };
  },
});
