/** `apply [HOST…]`: brings hosts in line with the store or the fleet file, in parallel. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { HOST_OPTIONS, POOL_OPTIONS, RUN_OPTIONS } from '../../cli/host-options.ts';
import { gravestExit } from '../../errors/errors.ts';
import { openHosts } from '../actions/open-hosts.ts';
import { likelyOwn } from '../actions/own-client.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { given } from '../domain/given.ts';
import type { CredentialChange } from '../domain/trust/changes.ts';
import { usableClients } from '../domain/trust/clients.ts';
import { clientToName } from '../domain/trust/reachable-hosts.ts';
import { clientsFor, hostsIntent } from '../domain/trust/wanted-hosts.ts';
import { listWords } from '../domain/words.ts';
import { changeHosts } from '../engine/change.ts';
import { resolveIntent } from '../engine/steps/resolve-intent.ts';
import type { MadeChangeDocument, PlannedChangeDocument } from '../render/change-document.ts';
import { renderChange } from '../render/change-result.ts';
import { nextCommands } from '../render/next.ts';
import { copiesCode } from '../seams/copies.ts';
import { LISTENERS } from '../seams/listeners.ts';
import { offered, offeredLines, offeredWords } from '../seams/seam.ts';
import { SETTING_PLACES } from '../seams/setting-places.ts';

export type ApplyDocument = (MadeChangeDocument & ClientsMade) | PlannedChangeDocument;

/** What a fleet file has changed in the store, also if every host failed. */
type ClientsMade = {
  /** Clients that got a certificate; absent: none. */
  readonly issued?: readonly string[];
  /** Clients that are revoked now; absent: none. */
  readonly revoked?: readonly string[];
};

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about: `Without HOST: every host of ${offeredWords(SETTING_PLACES, 'the fleet file (-f), or of ')}the store. Plans first and asks; with --yes it goes ahead.\nEvery host is changed in one transaction, verified, and rolls back automatically if that fails.`,
  examples: [
    ...offeredLines(
      SETTING_PLACES,
      'docker-tls apply -f fleet.yaml --yes',
      'docker-tls apply -f fleet.yaml --canary 1 --max-failures 2 --limit "build-*" --yes',
    ),
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
    const copies = await copiesCode();
    const resolved = await resolveIntent(hostsIntent(request), run);
    const { wanted, state } = resolved;
    await copies?.check(hosts, clientsFor(wanted, state), state, { runtime, command: 'apply' });
    const changed = await changeHosts(resolved);
    const done = new Set(changed.results.flatMap(({ kind, host }) => (kind === 'done' ? [host] : [])));
    // The hosts themselves are done, whether or not their contexts succeed.
    const made = hosts.filter(({ name }) => done.has(name));
    const usable = usableClients(changed.state, changed.wanted.verifyAs);
    const failed = (await copies?.make(made, usable, { store: run.store, runtime })) ?? [];
    const { credentials } = changed.wanted;
    const wrote = credentials.length > 0 || changed.results.some((one) => one.kind === 'done' && one.value.changed);
    // From the store: clients made for hosts that all failed are removed again, unless the store is shared.
    const after = changed.planned === undefined && wrote ? await run.store.read() : state;
    const clients = clientsMade(credentials, state, after);
    const changes = clientsText(clients);
    const name = changed.results.find((one) => one.kind === 'done' && (one.value.changed || changes !== ''))?.host;
    const spec = hosts.find((one) => one.name === name);
    const first = spec && {
      spec,
      context: await copies?.here(spec, after, runtime),
      client: runtime.env.DOCKER_TLS_CLIENT ? undefined : clientToName(after, spec.name, likelyOwn(run.store)),
    };
    const { exit, text, errors = [], result, ...rest } = renderChange(changed, context);
    return {
      ...rest,
      result: result && { ...result, ...clients },
      exit: gravestExit([exit, ...failed.map((error) => error.exit)]),
      text: hosts.length === 0 ? 'no hosts: nothing to do' : [text, changes].filter(Boolean).join('\n'),
      next: nextCommands(changed, context, first),
      errors: [...failed, ...errors],
    };
  },
});

/** Clients that the fleet file has added or revoked: the table of hosts does not show them. */
function clientsMade(credentials: readonly CredentialChange[], before: StoreState, after: StoreState): ClientsMade {
  const names = (kind: CredentialChange['kind'], of: (state: StoreState, name: string) => string | undefined) => {
    const made = credentials.flatMap((one) => (one.kind === kind && 'record' in one ? [one.record.name] : []));
    const changed = made.filter((name) => of(after, name) !== undefined && of(after, name) !== of(before, name));
    return changed.length > 0 ? changed : undefined;
  };
  return given({
    issued: names('client', (state, name) => state.clients.get(name)?.cert),
    revoked: names('record', (state, name) => state.clients.get(name)?.record.revokedAt),
  });
}

function clientsText(clients: ClientsMade): string {
  return Object.entries(clients)
    .map(([what, names]) => `${what}: ${names.length === 1 ? 'client' : 'clients'} ${listWords(names)}`)
    .join('\n');
}
