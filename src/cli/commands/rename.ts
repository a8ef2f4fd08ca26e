/** Owns `rename HOST NAME`: another name for a host of the store. */

import { renamed, renameHost } from '../../actions/rename.ts';
import { unknownName } from '../../actions/resolve-target.ts';
import { storeOf } from '../../actions/store.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  name: 'rename',
  summary: 'Give a host of the store another name; changes nothing on it',
  withoutFleet: true,
  about:
    'Clients, certificate, address and docker contexts stay as they are. A fleet file that has the host needs the new name as well.\nA host that has moved to another address: docker-tls setup root@NEW --name HOST --address NEW',
  examples: ['docker-tls rename build-1 ci-1'],
  args: {
    host: { summary: 'the host', required: true, completes: 'host' },
    name: { summary: 'its new name', required: true },
  },
  options: {},
  async run({ args: { host, name }, global, runtime }) {
    const store = storeOf({ global, runtime });
    const state = await store.read();
    if (!state.hosts.has(host))
      throw unknownName('host', 'E_HOST_UNKNOWN', host, [...state.hosts.keys()], 'docker-tls rename');
    if (global.dryRun) renamed(state, host, name, runtime.now());
    else await renameHost(host, name, store, runtime.now);
    return {
      exit: 0,
      result: { host, name, dryRun: global.dryRun },
      text: `${host} ${global.dryRun ? 'would be called' : 'is now called'} ${name}`,
    };
  },
});
