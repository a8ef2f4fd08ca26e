/** Owns `apply [HOST…]`: makes hosts what the store or the fleet file says, in parallel. */

import { apply, clientsFor, wantedHosts } from '../../actions/apply.ts';
import { checkContexts, contextName, giveContexts } from '../../actions/context.ts';
import type { HostSpec } from '../../domain/settings.ts';
import type { Changed } from '../../engine/intent.ts';
import { gravestExit } from '../../errors/errors.ts';
import { type CommandContext, defineCommand, type OptionValues } from '../command.ts';
import { dockerConfigDirectory } from '../options.ts';
import { renderChange } from '../render/change.ts';
import { applyCommand, useCommands } from '../render/next.ts';
import { isChanging } from '../render/plan.ts';
import { openHosts, POOL_OPTIONS, RUN_OPTIONS } from '../run.ts';

const OPTIONS = { ...RUN_OPTIONS, ...POOL_OPTIONS };

type Context = CommandContext<{ readonly hosts: readonly string[] }, OptionValues<typeof OPTIONS>>;

export const command = defineCommand({
  name: 'apply',
  summary: 'Make hosts what they should be, in parallel',
  about:
    'Without HOST: every host of the fleet file (-f), or of the store. Plans first and asks; with --yes it goes ahead.\nEvery host is changed in one transaction, verified, and rolls back automatically if that fails.',
  examples: [
    'docker-tls apply -f fleet.yaml --yes',
    'docker-tls apply -f fleet.yaml --canary 1 --max-failures 2 --limit "build-*" --yes',
  ],
  args: { hosts: { summary: 'hosts; default: all', many: true, completes: 'host' } },
  options: OPTIONS,
  async run(context) {
    const { args, options, runtime } = context;
    const { run, request, state } = await openHosts(context, args.hosts, options);
    const dockerConfig = dockerConfigDirectory(runtime);
    if (request.hosts.some((spec) => contextName(spec) !== undefined)) {
      const wanted = wantedHosts(request, state, runtime.now());
      await checkContexts(request.hosts, clientsFor(wanted, state), state, dockerConfig);
    }
    const changed = await apply(request, run);
    const result = renderChange(changed, context);
    const done = new Set(changed.results.flatMap(({ kind, host }) => (kind === 'done' ? [host] : [])));
    const contexts = await giveContexts(
      request.hosts.filter(({ name }) => done.has(name)),
      clientsFor({ ...changed.wanted, credentials: [] }, changed.state),
      { store: run.store, dockerConfig, now: runtime.now },
    );
    return {
      ...result,
      exit: gravestExit([result.exit, ...contexts.map(({ exit }) => exit)]),
      text: request.hosts.length === 0 ? 'no hosts: nothing to do' : result.text,
      next: nextCommands(changed, request.hosts, context),
      errors: [...contexts, ...(result.errors ?? [])],
    };
  },
});

/** The same again for hosts that failed; else how docker reaches the first host that changed. */
function nextCommands(
  { planned, results }: Changed,
  specs: readonly HostSpec[],
  { args, options, global, runtime }: Pick<Context, 'args' | 'options' | 'global' | 'runtime'>,
): string[] {
  if (planned !== undefined)
    return planned.hosts.some(isChanging) ? [applyCommand(args.hosts, global.file, options)] : [];
  const left = results.flatMap(({ kind, host }) => (kind === 'done' ? [] : [host]));
  if (left.length > 0) return [`when that is fixed:  ${applyCommand(left, global.file, options)}`];
  const first = results.find((one) => one.kind === 'done' && one.value.changed);
  const spec = specs.find(({ name }) => name === first?.host);
  return spec === undefined ? [] : useCommands(spec, contextName(spec), runtime);
}
