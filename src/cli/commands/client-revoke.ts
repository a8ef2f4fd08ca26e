/** Owns `client revoke`: takes access away from one client, on every host, and verifies it. */

import { revokeClient } from '../../actions/client-access.ts';
import { openStoredRun } from '../../actions/run.ts';
import { plural } from '../../domain/words.ts';
import { defineCommand } from '../command.ts';
import { STORED_OPTIONS } from '../host-options.ts';
import { renderChange } from '../render/change.ts';

export const command = defineCommand({
  name: 'client revoke',
  summary: 'Reject a client on every host; other clients keep their files',
  about:
    'Every host gets a list of the clients that it still accepts, without this one; no other client needs new files. It is verified by trying the revoked certificate.\nHosts that cannot be reached still accept it: run the same command again when they are back. A host that no other client may use is left as it is, and named.',
  examples: ['docker-tls client revoke eve'],
  args: { name: { summary: 'the client', required: true, completes: 'client' } },
  options: STORED_OPTIONS,
  async run(context) {
    const { name } = context.args;
    const { run, flags } = await openStoredRun(context, context.options);
    const changed = await revokeClient(name, { flags, rejectOthers: context.options.rejectOtherClients }, run);
    const { result, text, ...rest } = renderChange(changed, context);
    if (changed.planned !== undefined) return { ...rest, text, result: { client: name, ...(result as object) } };
    const client = changed.state.clients.get(name);
    const hosts = changed.results.length;
    // Said only of what was tried.
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
    return {
      ...rest,
      result: { client: name, revokedAt: client?.record.revokedAt, ...(result as object) },
      text: [text, ending].filter((part) => part !== '').join('\n\n'),
    };
  },
});
