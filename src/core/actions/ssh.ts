/** `ssh`: a shell or a command on a host, with the stored login. */

import type { ExitStatus } from '../../errors/catalogue.ts';
import { usage } from '../../errors/errors.ts';
import { openTerminal } from '../adapters/ssh/terminal.ts';
import { storedHost } from '../domain/trust/resolve.ts';
import type { ActionContext } from './action-context.ts';
import { storeOf } from './store.ts';

/** Returns the exit status of the remote command, whatever it is. */
export async function openShell(context: ActionContext, name: string, command: readonly string[]): Promise<ExitStatus> {
  if (context.global.json)
    throw usage('--json: standard output belongs to what runs on the host', [`docker-tls ssh ${name}`]);
  const state = await storeOf(context).read();
  const { destination, user, port, identities, configFile, jump } = storedHost(state, name, context.again).record.ssh;
  if (destination === 'local') throw usage(`${name} is this machine`, ['sudo -i']);
  const requested = { user, port, identities, configFile, jump };
  const known = Object.fromEntries(Object.entries(requested).filter(([, value]) => value !== undefined));
  return (await openTerminal({ destination, ...known }, command)) as ExitStatus;
}
