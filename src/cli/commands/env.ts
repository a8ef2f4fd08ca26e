/** Owns `env HOST`: the lines that point docker at a host, in the words of a shell. Reads the store; changes nothing. */

import { detectShell, dockerHost, renderEnvironment, SHELLS } from '../../adapters/docker/environment.ts';
import { defineCommand } from '../command.ts';
import { storeDirectory, usage } from '../options.ts';
import { resolveClient, resolveHost } from '../resolve-target.ts';
import { storeOf } from '../store.ts';

const NOTHING = { DOCKER_HOST: '', DOCKER_TLS_VERIFY: '', DOCKER_CERT_PATH: '' };

export const command = defineCommand({
  name: 'env',
  withoutFleet: true,
  summary: 'Lines for the shell that point docker at a host',
  about:
    'HOST and --client may be left out when there is only one. The shell is found from SHELL.\nDOCKER_HOST beats `docker context use` as long as it is set: --unset prints the lines that take it away.',
  examples: [
    'eval "$(docker-tls env build-1)"',
    'docker-tls env build-1 --format fish | source',
    'docker-tls env build-1 --format github >> "$GITHUB_ENV"',
    'eval "$(docker-tls env --unset)"',
  ],
  args: { host: { summary: "the host's name in the store", completes: 'host' } },
  options: {
    client: { kind: 'text', value: 'NAME', summary: 'whose certificate to use', completes: 'client' },
    format: { kind: 'choice', choices: SHELLS, summary: 'the form; default: that of your shell' },
    shell: { kind: 'choice', choices: SHELLS, summary: 'the same as --format' },
    unset: { kind: 'flag', summary: 'take the variables away again' },
  },
  async run({ args, options, global, runtime }) {
    if (options.format !== undefined && options.shell !== undefined && options.format !== options.shell)
      throw usage('--format and --shell say different forms', [`docker-tls env --format ${options.format}`]);
    const shell = options.format ?? options.shell ?? detectShell(runtime.env);
    if (options.unset) {
      const text = renderEnvironment({ shell, variables: NOTHING, unset: true });
      return { exit: 0, result: { shell, unset: Object.keys(NOTHING), text }, text, verbatim: true };
    }
    const state = await storeOf({ global, runtime }).read();
    const host = resolveHost(state, args.host, 'docker-tls env');
    const client = resolveClient(state, host, options.client, 'docker-tls env');
    const variables = {
      DOCKER_HOST: dockerHost(host.record.address, host.record.port),
      DOCKER_TLS_VERIFY: '1',
      DOCKER_CERT_PATH: client.directory,
    };
    const words = [
      ...runtime.program.split(' '),
      'env',
      host.record.name,
      '--client',
      client.record.name,
      '--shell',
      shell,
    ];
    if (global.home !== storeDirectory(undefined, runtime)) words.push('--home', global.home);
    // The comment is a convenience: left out when it would need quoting, whose rules differ from shell to shell.
    const again = words.every((word) => /^[\w./:@+-]+$/.test(word)) ? words.join(' ') : undefined;
    const text = renderEnvironment({ shell, variables, usage: again });
    return {
      exit: 0,
      result: { shell, host: host.record.name, client: client.record.name, variables, text },
      text,
      verbatim: true,
    };
  },
});
