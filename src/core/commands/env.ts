/** `env HOST`: settings that point the shell, or a tool, at a host. */

import { defineCommand } from '../../cli/command.ts';
import { CLIENT_OPTION } from '../../cli/host-options.ts';
import { environment } from '../actions/env.ts';
import { SHELLS } from '../domain/environment.ts';
import { FORMATS, toolFormat } from '../seams/formats.ts';
import { offeredLines } from '../seams/seam.ts';

export const command = defineCommand({
  scope: ['store'],
  about: [
    `HOST and --client may be left out when there is only one. The shell is found from SHELL.
DOCKER_HOST beats \`docker context use\` as long as it is set: --unset prints the lines that take it away.`,
    ...offeredLines(
      FORMATS,
      'What a tool gets names the paths of the files; it contains no secret. ansible-inventory, jenkins-casc and prometheus get every host that accepts the client where no HOST is named.',
    ),
  ].join('\n'),
  examples: [
    'eval "$(docker-tls env build-1)"',
    'docker-tls env build-1 --format fish | source',
    'docker-tls env build-1 --format github >> "$GITHUB_ENV"',
    ...offeredLines(
      FORMATS,
      'docker-tls env build-1 --client ci --format gitlab-runner',
      'docker-tls env --client ci --format ansible-inventory > inventory.yml',
    ),
    'eval "$(docker-tls env --unset)"',
  ],
  args: { host: { summary: "the host's name in the store", completes: 'host' } },
  options: {
    client: CLIENT_OPTION,
    format: {
      kind: 'choice',
      choices: [...SHELLS, ...FORMATS.all.map(({ name }) => name)],
      summary: 'the form; default: that of your shell',
    },
    shell: { kind: 'choice', choices: SHELLS, summary: 'the same as --format' },
    unset: { kind: 'flag', summary: 'take the variables away again' },
  },
  async run(context) {
    const { args, options } = context;
    const result = await environment(context, args.host, options);
    return { exit: 0, result, text: result.text, verbatim: toolFormat(options.format ?? '') === undefined };
  },
});
