/** `env HOST`: settings that point the shell, or a tool, at a host. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { CLIENT_OPTION } from '../../cli/host-options.ts';
import { usage } from '../../errors/errors.ts';
import type { ActionContext } from '../actions/action-context.ts';
import { storeOf } from '../actions/open-store.ts';
import { filesHere, likelyOwn } from '../actions/own-client.ts';
import { noteThroughSsh } from '../actions/through-ssh.ts';
import {
  detectShell,
  type HostLines,
  isShell,
  SHELLS,
  type Shell,
  type ToolConfiguration,
  type UnsetLines,
} from '../domain/shell-environment.ts';
import { clientName, resolveClient, resolveHost } from '../domain/trust/resolve.ts';
import { FORMATS, toolFormat } from '../seams/formats.ts';
import { offeredLines } from '../seams/seam.ts';
import { hostLines, unsetLines } from './env-at-once.ts';

/** Of a shell, with `--unset`, or of a tool. `text` is what is printed without --json. */
export type EnvDocument =
  | {
      readonly shell: ShellDocument;
      readonly host: string;
      readonly client: string;
      readonly variables: {
        readonly DOCKER_HOST: string;
        readonly DOCKER_TLS_VERIFY: string;
        readonly DOCKER_CERT_PATH: string;
      };
      readonly text: string;
    }
  | { readonly shell: ShellDocument; readonly unset: readonly string[]; readonly text: string }
  | { readonly format: string; readonly hosts: readonly string[]; readonly client: string; readonly text: string };

type ShellDocument = 'sh' | 'bash' | 'zsh' | 'fish' | 'powershell' | 'cmd' | 'tcsh' | 'dotenv' | 'github' | 'json';

function envDocument(lines: HostLines | UnsetLines | ToolConfiguration): EnvDocument {
  const { text } = lines;
  if ('format' in lines) return { format: lines.format, hosts: lines.hosts, client: lines.client, text };
  if ('unset' in lines) return { shell: lines.shell, unset: lines.unset, text };
  const { shell, host, client, variables } = lines;
  const { DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH } = variables;
  return { shell, host, client, variables: { DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH }, text };
}

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
      summary: 'the form (default: that of your shell)',
    },
    shell: { kind: 'choice', choices: SHELLS, summary: 'the same as --format' },
    unset: { kind: 'flag', summary: 'take the variables away again' },
  },
  /** The lines for a shell, or the configuration of a tool. */
  async run(context): Promise<CommandResult<EnvDocument>> {
    const { runtime, args, options } = context;
    const { format, unset } = options;
    if (format !== undefined && options.shell !== undefined && format !== options.shell)
      throw usage('--format and --shell say different forms', [`docker-tls env --format ${format}`]);
    const requested = { host: args.host, client: clientName(options, runtime) };
    const tool = format === undefined ? undefined : toolFormat(format);
    if (tool !== undefined) {
      if (unset)
        throw usage(`--unset is for the variables of a shell, not for ${tool.name}`, ['docker-tls env --unset']);
      const result = await (await tool.load()).configure(requested, context);
      return { exit: 0, result: envDocument(result), text: result.text, verbatim: false };
    }
    const shell = format !== undefined && isShell(format) ? format : (options.shell ?? detectShell(runtime.env));
    const result = unset ? unsetLines(shell) : await linesFor(shell, requested, context);
    return { exit: 0, result: envDocument(result), text: result.text, verbatim: true };
  },
});

async function linesFor(
  shell: Shell,
  requested: { readonly host: string | undefined; readonly client: string | undefined },
  context: ActionContext,
): Promise<HostLines> {
  const store = storeOf(context);
  const state = await store.read();
  const host = resolveHost(state, requested.host, context.again);
  const client = resolveClient(state, host, requested.client, context.again, likelyOwn(store));
  noteThroughSsh(context, state, [host.record.name]);
  return hostLines({ shell, host, client: client.record.name, directory: filesHere(store, client) }, context);
}
