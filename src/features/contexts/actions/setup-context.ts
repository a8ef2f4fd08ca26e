/** The docker context of a host in `setup`: refused, proposed, or asked for. */

import { dockerHost } from '../../../core/domain/destination.ts';
import { hostContextName } from '../../../core/domain/hosts/specs.ts';
import { contextNameOf } from '../../../core/domain/names.ts';
import { hasPort } from '../../../core/domain/network-port.ts';
import { refusal } from '../../../core/domain/setting-problems.ts';
import type { ContextOptions, CopiesCode } from '../../../core/seams/copies.ts';
import { dockerConfigDirectory } from '../../../core/user.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { readContext } from '../adapters/contexts.ts';
import { checkContextName } from '../domain/context-name.ts';

/** Whether an option requests a docker context. */
function wantsContext({ context, use, configDirectory }: ContextOptions): boolean {
  return context !== undefined || use || configDirectory;
}

export const refuseWithoutPort: CopiesCode['refuseWithoutPort'] = (host, options) => {
  if (!wantsContext(options)) return;
  throw new DockerTlsError('E_USAGE', 'a docker context needs a port, and --listen none opens none', {
    where: host,
    hints: ['leave out --context, --use and --config-directory'],
  });
};

/** None is proposed if another context has the name or docker's files are unreadable, because the user requested none. */
export const proposeContext: CopiesCode['propose'] = async (spec, dialled, { runtime, progress }) => {
  // Docker dials a context's address directly, so a context is useless for a host that only SSH reaches, or nothing.
  if (hostContextName(spec) !== undefined || spec.reach === 'ssh' || !hasPort(spec)) return spec;
  const context = contextNameOf(spec.name);
  const endpoint = dockerHost(spec.address ?? dialled, spec.port);
  try {
    const found = await readContext({ name: context, dockerConfig: dockerConfigDirectory(runtime) });
    if (found === undefined || (found.ours && found.host === endpoint)) return { ...spec, context };
    const leads = found.ours ? `points to ${found.host ?? 'no host'}` : 'was not made by docker-tls';
    progress.note(
      `the docker context ${context} ${leads}, and stays as it is: no context is made; with another name: --context NAME`,
    );
  } catch (error) {
    if (!(error instanceof DockerTlsError)) throw error;
  }
  return spec;
};

/** The answer `-` means none. */
export const askContext: CopiesCode['ask'] = async (spec, before, { options, prompts }) => {
  if (wantsContext(options) || !hasPort(spec)) return options.context;
  const problem = refusal(checkContextName);
  const answer = await prompts.input({
    explain: 'docker --context NAME uses the host. For no context, type -',
    message: 'Docker context:',
    default: hostContextName(before) === undefined ? '-' : contextNameOf(spec.name),
    flag: '--context',
    typedAs: (text) => (text === '-' ? ['--no-context'] : ['--context', text]),
    validate: (text) => text === '-' || problem(text),
  });
  return answer === '-' ? undefined : answer;
};
