/** Owns `doctor HOST`: one cause, and the command that fixes it. */

import { examine } from '../../actions/doctor.ts';
import { anyClient, resolveHost } from '../../actions/resolve-target.ts';
import { storeOf } from '../../actions/store.ts';
import type { StoreState } from '../../adapters/store/records.ts';
import { dockerHost } from '../../domain/destination.ts';
import { type ReachableHost, reachableHosts } from '../../domain/trust/reachable-hosts.ts';
import { printable } from '../../errors/errors.ts';
import type { Runtime } from '../../runtime.ts';
import { dockerConfigDirectory } from '../../user.ts';
import { defineCommand } from '../command.ts';
import { CLIENT_OPTION } from '../host-options.ts';
import { coloursOf } from '../render/colours.ts';

export const command = defineCommand({
  name: 'doctor',
  withoutFleet: true,
  summary: 'Diagnose why docker cannot reach a host, and print the fix',
  about:
    "Connects as the client does, looks at the environment and the docker contexts of this computer, and asks the host's clock and journal by SSH where that helps.\nChanges nothing. Exit status 0: all is well; 7: a cause was found.",
  examples: ['docker-tls doctor build-1', 'docker-tls doctor build-1 --client ci --no-ssh'],
  args: { host: { summary: "the host's name in the store", completes: 'host' } },
  options: {
    client: CLIENT_OPTION,
    noSsh: { kind: 'flag', summary: 'do not log in to the host' },
    timeout: { kind: 'duration', value: 'TIME', summary: 'how long to wait for an answer; default 5s' },
  },
  async run({ args, options, global, runtime, prompts }) {
    const state = await storeOf({ global, runtime }).read();
    const host = resolveHost(state, args.host ?? hostOfEnvironment(state, runtime.env), 'docker-tls doctor');
    const client = anyClient(state, host, options, runtime, 'docker-tls doctor');
    const examined = await examine({
      runtime,
      state,
      host,
      client,
      named: options.client !== undefined,
      dockerConfig: dockerConfigDirectory(runtime),
      ssh: !options.noSsh,
      ask: prompts.ssh,
      timeoutMs: options.timeout,
    });
    // Such a host is not dialled from here: that it does not answer is as it should be.
    const { name } = host.record;
    const behind = state.hosts.get(name)?.record.reach === 'ssh' && NOT_DIALLED.includes(examined.cause);
    const found = behind
      ? { ...examined, hints: [`docker-tls tunnel ${name} -- docker version`, ...examined.hints] }
      : examined;
    const colours = coloursOf(runtime.io);
    const well = found.cause === 'none';
    const text = [
      `${well ? colours.green('✓') : colours.red('✗')} ${colours.bold(found.cause === 'none' ? 'all is well' : found.cause)}: ${found.message}`,
      ...found.journal.map((line) => colours.dim(`  journal: ${line}`)),
      ...(found.sshProblem === undefined
        ? []
        : [
            colours.dim(`  ssh: ${printable(found.sshProblem.message)}`),
            ...found.sshProblem.hints.map((hint) => colours.dim(`       ${hint}`)),
          ]),
      ...(found.note === undefined ? [] : [`  ${found.note}`]),
      '',
      ...found.hints.map((hint) => `  ${hint}`),
    ].join('\n');
    return { exit: well ? 0 : 7, result: found, text, attention: '' };
  },
});

/** What a bastion makes of a connection from here. */
const NOT_DIALLED: readonly string[] = ['timed-out', 'connection-refused', 'unreachable', 'name-not-found'];

/** The host that docker goes to by the environment, where none was named. */
function hostOfEnvironment(state: StoreState, { DOCKER_HOST: dialled }: Runtime['env']): string | undefined {
  if (!dialled) return undefined;
  const same = ({ record }: ReachableHost) => dockerHost(record.address, record.port) === dialled.replace(/\/+$/, '');
  return [...reachableHosts(state).values()].find(same)?.record.name;
}
