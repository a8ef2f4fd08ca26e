/** An imported client, and the commands to use it with docker. */

import type { CommandContext, CommandResult } from '../../cli/command.ts';
import type { Imported, ImportOptions } from '../actions/client-import.ts';
import { dateWords } from '../domain/words.ts';

type Context = CommandContext<unknown, ImportOptions>;

export function renderImported(imported: Imported | Pick<Imported, 'client'>, context: Context): CommandResult {
  const { client } = imported;
  if (!('hosts' in imported)) return { exit: 0, result: { client, dryRun: true }, text: `would import ${client}` };
  const { directory, expires, hosts, contexts, problems } = imported;
  return {
    exit: 0,
    result: { client, directory, expires, hosts, contexts },
    text: [
      `client ${client}: until ${dateWords(expires)}, in ${directory}`,
      `hosts: ${hosts.join(', ') || 'none named in the bundle'}`,
      ...(contexts.length > 0 ? [`contexts: ${contexts.join(', ')}`] : []),
    ].join('\n'),
    next: nextCommands(imported, context),
    errors: problems,
  };
}

function nextCommands(
  { client, hosts, contexts }: Imported,
  { options: { use }, runtime: { env } }: Context,
): string[] {
  const [first] = hosts;
  const [context] = contexts;
  // buildx looks for ~/.docker/ca.pem while DOCKER_TLS_VERIFY is set, even with a context.
  const stronger = ['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_TLS_VERIFY'].filter((one) => env[one]);
  const unset = use && context !== undefined && stronger.length > 0 ? [`unset ${stronger.join(' ')}`] : [];
  if (first === undefined) return unset;
  const docker = use ? 'docker version' : `docker --context ${context} version`;
  return [
    ...unset,
    `docker-tls verify ${first} --client ${client}`,
    context === undefined ? `eval "$(docker-tls env ${first} --client ${client})"` : docker,
  ];
}
