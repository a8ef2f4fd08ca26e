/** Owns `client use`: which client this computer uses where several are in the store. */

import { clientOf } from '../../actions/client-bundle.ts';
import { makeOwn } from '../../actions/own-client.ts';
import { storeOf } from '../../actions/store.ts';
import { externalKey } from '../../domain/trust/client-refusals.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  name: 'client use',
  withoutFleet: true,
  summary: "Make a client this computer's own: the one that commands use without --client",
  about: 'DOCKER_TLS_CLIENT names another one for a shell, and --client for one command.',
  examples: ['docker-tls client use laptop'],
  args: { name: { summary: 'the client', required: true, completes: 'client' } },
  options: {},
  async run({ args: { name }, global, runtime }) {
    const store = storeOf({ global, runtime });
    const { record, key } = clientOf(await store.read(), name);
    if (record.revokedAt !== undefined) {
      throw new DockerTlsError({
        code: 'E_CLIENT_REVOKED',
        where: name,
        message: `this client was revoked at ${record.revokedAt}`,
        hints: ['docker-tls client list'],
      });
    }
    if (key === undefined) throw externalKey(name);
    if (!global.dryRun) await makeOwn(store, name, 'docker-tls client use');
    const words = global.dryRun ? 'would use' : 'uses';
    return {
      exit: 0,
      result: { client: name, ...(global.dryRun ? { dryRun: true } : {}) },
      text: `this computer ${words} the client ${name} where none is named`,
    };
  },
});
