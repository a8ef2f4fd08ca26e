/** `client revoke`: revokes one client's access on every host, and verifies it. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { STORED_OPTIONS } from '../../cli/host-options.ts';
import type { ActionContext } from '../actions/action-context.ts';
import { type AccessOptions, tellHosts } from '../actions/client-access.ts';
import type { Changed } from '../actions/results.ts';
import { openStoredRun } from '../actions/run.ts';
import type { StoreState } from '../adapters/store/records.ts';
import type { Wanted } from '../domain/trust/changes.ts';
import { revoked } from '../domain/trust/clients.ts';
import { plural } from '../domain/words.ts';
import { change } from '../engine/change.ts';
import type { ChangeDocument } from '../render/change-document.ts';
import { type RenderContext, renderChange } from '../render/change-result.ts';

/** `revokedAt`: absent in a dry run. */
export type ClientRevokeDocument = ChangeDocument & { readonly client: string; readonly revokedAt?: string };

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    'Every host gets a list of the clients that it still accepts, without this one; no other client needs new files. It is verified by trying the revoked certificate.\nHosts that cannot be reached still accept it: run the same command again when they are back. A host without another allowed client stays unchanged; the output names it.',
  examples: ['docker-tls client revoke eve'],
  args: { name: { summary: 'the client', required: true, completes: 'client' } },
  options: STORED_OPTIONS,
  run: async (context) => {
    const changed = await revokeClient(context, context.args.name, context.options);
    return renderRevoked(changed, context);
  },
});

async function revokeClient(context: ActionContext, name: string, options: AccessOptions): Promise<Changed> {
  const { run, flags, state } = await openStoredRun(context, options);
  const rejectOthers = options.rejectOtherClients;
  const again = state.clients.get(name)?.record.revokedAt !== undefined;
  const want = (latest: StoreState, now: Date): Wanted => ({
    ...tellHosts(latest, [revoked(latest, name, now)], { flags, rejectOthers, now, unexplained: true }),
    mustReject: [name],
  });
  // Nothing is left to agree to.
  const question = (_: Wanted, changing: number) =>
    again && changing === 0 ? undefined : `Revoke ${name} on every host? Its certificate cannot be restored.`;
  return change({ reason: 'client revoke', want, question }, run);
}

function renderRevoked(
  changed: Changed,
  around: RenderContext & { readonly args: { readonly name: string } },
): CommandResult<ClientRevokeDocument> {
  const { name } = around.args;
  const { result, text, ...rest } = renderChange(changed, around);
  if (changed.planned !== undefined) return { ...rest, text, result: { client: name, ...result } };
  const hosts = changed.results.length;
  // Only a certificate that was actually tried counts.
  const everywhere = changed.results.every(
    (one) => one.kind === 'done' && one.value.checks.some(({ ok, revoked }) => ok && revoked === name),
  );
  const tried = everywhere ? ', tried with its own certificate' : '';
  const ending =
    rest.exit !== 0
      ? `${name} is revoked, but the hosts that failed still accept it: fix them, then run the same command again.`
      : hosts === 0
        ? `${name} is revoked; no host accepts it.`
        : `${name} is revoked: ${plural(hosts, 'host')} ${hosts === 1 ? 'rejects' : 'reject'} it${tried}.`;
  const { revokedAt } = changed.state.clients.get(name)?.record ?? {};
  return {
    ...rest,
    result: { client: name, revokedAt, ...result },
    text: [text, ending].filter((part) => part !== '').join('\n\n'),
  };
}
