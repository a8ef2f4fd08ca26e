/** `client use`: this machine's default client, if the store has several. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { storeOf } from '../actions/open-store.ts';
import { makeOwn } from '../actions/own-client.ts';
import { clientRevoked, externalKey } from '../domain/trust/client-refusals.ts';
import { clientOf } from '../domain/trust/resolve.ts';

export type ClientUseDocument = { readonly client: string; readonly dryRun?: true };

export const command = defineCommand({
  scope: ['changes', 'store'],
  about: 'DOCKER_TLS_CLIENT names another one for a shell, and --client for one command.',
  examples: ['docker-tls client use laptop'],
  args: { name: { summary: 'the client', required: true, completes: 'client' } },
  options: {},
  /** With --dry-run, only the checks. Fails with E_CLIENT_UNKNOWN, E_CLIENT_REVOKED, E_CLIENT_NO_KEY (exit 2). */
  async run(context): Promise<CommandResult<ClientUseDocument>> {
    const { name } = context.args;
    const { dryRun } = context.global;
    const store = storeOf(context);
    const { record, key } = clientOf(await store.read(), name);
    if (record.revokedAt !== undefined) throw clientRevoked(name, record.revokedAt, 'docker-tls client list');
    if (key === undefined) throw externalKey(name);
    if (!dryRun) await makeOwn(store, name, 'docker-tls client use');
    return {
      exit: 0,
      result: { client: name, dryRun: dryRun || undefined },
      text: `this computer ${dryRun ? 'would use' : 'uses'} the client ${name} where none is named`,
    };
  },
});
