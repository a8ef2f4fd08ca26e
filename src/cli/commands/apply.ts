/** Owns `apply [HOST…]`: makes hosts what the store or the fleet file says, in parallel. */

import { apply, clientsFor, wantedHosts } from '../../actions/apply.ts';
import { checkContexts, contextName, giveContexts } from '../../actions/context.ts';
import { gravestExit } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';
import { dockerConfigDirectory } from '../options.ts';
import { renderChange } from '../render/change.ts';
import { openHosts, POOL_OPTIONS, RUN_OPTIONS } from '../run.ts';

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
  options: { ...RUN_OPTIONS, ...POOL_OPTIONS },
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
      errors: [...contexts, ...(result.errors ?? [])],
    };
  },
});
