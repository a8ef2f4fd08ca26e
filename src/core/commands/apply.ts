/** `apply [HOST…]`: brings hosts in line with the store or the fleet file, in parallel. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { HOST_OPTIONS, POOL_OPTIONS, RUN_OPTIONS } from '../../cli/host-options.ts';
import { gravestExit } from '../../errors/errors.ts';
import { contextHere } from '../actions/contexts-of-host.ts';
import { openHosts } from '../actions/open-hosts.ts';
import { likelyOwn } from '../actions/own-client.ts';
import { checkContexts, giveContexts } from '../actions/requested-contexts.ts';
import { hostContextName } from '../domain/fleet/specs.ts';
import type { CredentialChange } from '../domain/trust/changes.ts';
import { usableClients } from '../domain/trust/clients.ts';
import { clientToName } from '../domain/trust/reachable-hosts.ts';
import { clientsFor, hostsIntent } from '../domain/trust/wanted-hosts.ts';
import { listWords } from '../domain/words.ts';
import { changeHosts } from '../engine/change.ts';
import { resolveIntent } from '../engine/steps/resolve-intent.ts';
import type { ChangeDocument } from '../render/change-document.ts';
import { renderChange } from '../render/change-result.ts';
import { nextCommands } from '../render/next.ts';
import { LISTENERS } from '../seams/listeners.ts';
import { offered } from '../seams/seam.ts';
import { dockerConfigDirectory } from '../user.ts';

export type ApplyDocument = ChangeDocument;

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    'Without HOST: every host of the fleet file (-f), or of the store. Plans first and asks; with --yes it goes ahead.\nEvery host is changed in one transaction, verified, and rolls back automatically if that fails.',
  examples: [
    'docker-tls apply -f fleet.yaml --yes',
    'docker-tls apply -f fleet.yaml --canary 1 --max-failures 2 --limit "build-*" --yes',
  ],
  args: { hosts: { summary: 'hosts (default: all)', many: true, completes: 'host' } },
  options: { ...RUN_OPTIONS, ...POOL_OPTIONS, ...offered(LISTENERS, { install: HOST_OPTIONS.install }) },
  /** Fails on problems of the whole run; hosts that fail are in the result. */
  async run(context): Promise<CommandResult<ApplyDocument>> {
    const { runtime } = context;
    const { run, request } = await openHosts(context, context.args.hosts, {
      ...context.options,
      installs: context.options.install,
    });
    const { hosts } = request;
    const dockerConfig = dockerConfigDirectory(runtime);
    const resolved = await resolveIntent(hostsIntent(request), run);
    const { wanted, state } = resolved;
    if (hosts.some((spec) => hostContextName(spec) !== undefined))
      await checkContexts(hosts, clientsFor(wanted, state), state, dockerConfig);
    const changed = await changeHosts(resolved);
    const done = new Set(changed.results.flatMap(({ kind, host }) => (kind === 'done' ? [host] : [])));
    // The hosts themselves are done, whether or not their contexts succeed.
    const failed = await giveContexts(
      hosts.filter(({ name }) => done.has(name)),
      usableClients(changed.state, changed.wanted.verifyAs),
      { store: run.store, dockerConfig, now: runtime.now },
    );
    const made = clientsMade(changed.wanted.credentials);
    const name = changed.results.find((one) => one.kind === 'done' && (one.value.changed || made !== ''))?.host;
    const spec = hosts.find((one) => one.name === name);
    const after = spec && (await run.store.read());
    const first = spec &&
      after && {
        spec,
        context: hostContextName(spec) ?? (await contextHere(spec.name, after, dockerConfig)),
        client: runtime.env.DOCKER_TLS_CLIENT ? undefined : clientToName(after, spec.name, likelyOwn(run.store)),
      };
    const { exit, text, errors = [], ...rest } = renderChange(changed, context);
    return {
      ...rest,
      exit: gravestExit([exit, ...failed.map((error) => error.exit)]),
      text: hosts.length === 0 ? 'no hosts: nothing to do' : [text, name && made].filter(Boolean).join('\n'),
      next: nextCommands(changed, context, first),
      errors: [...failed, ...errors],
    };
  },
});

/** Clients that the fleet file has added or revoked: the table of hosts does not show them. */
function clientsMade(credentials: readonly CredentialChange[]): string {
  const issued = credentials.flatMap((one) => (one.kind === 'client' ? [one.record.name] : []));
  const revoked = credentials.flatMap((one) =>
    one.kind === 'record' && one.record.revokedAt ? [one.record.name] : [],
  );
  const line = (what: string, names: readonly string[]) =>
    names.length === 0 ? [] : [`${what}: ${names.length === 1 ? 'client' : 'clients'} ${listWords(names)}`];
  return [...line('issued', issued), ...line('revoked', revoked)].join('\n');
}
