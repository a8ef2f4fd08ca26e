/** The lines of `env` that point a shell at a host. */

import { dockerHost } from '../domain/destination.ts';
import { type Environment, renderEnvironment, type Shell } from '../domain/environment.ts';
import type { ReachableHost } from '../domain/trust/reachable-hosts.ts';
import type { Runtime } from '../runtime.ts';
import { storeDirectory } from '../user.ts';
import type { GlobalOptions } from './action-context.ts';

const NOTHING = { DOCKER_HOST: '', DOCKER_TLS_VERIFY: '', DOCKER_CERT_PATH: '' };

export type Around = {
  readonly runtime: Pick<Runtime, 'env' | 'cwd' | 'program'>;
  readonly global: Pick<GlobalOptions, 'home'>;
};

type Pointed = {
  readonly shell: Shell;
  readonly host: ReachableHost;
  readonly client: string;
  /** The directory from which docker reads the client's files. */
  readonly directory: string;
};

export function unsetLines(shell: Shell): Environment {
  const text = renderEnvironment({ shell, variables: NOTHING, unset: true });
  return { shell, unset: Object.keys(NOTHING), text };
}

export function hostLines({ shell, host, client, directory }: Pointed, { runtime, global }: Around): Environment {
  const { name, address, port } = host.record;
  const variables = {
    DOCKER_HOST: dockerHost(address, port),
    DOCKER_TLS_VERIFY: '1',
    DOCKER_CERT_PATH: directory,
  };
  const words = [...runtime.program.split(' '), 'env', name, '--client', client, '--shell', shell];
  if (global.home !== storeDirectory(undefined, runtime)) words.push('--home', global.home);
  // The comment is optional: omitted if it would need quoting, because the rules differ between shells.
  const again = words.every((word) => /^[\w./:@+-]+$/.test(word)) ? words.join(' ') : undefined;
  const text = renderEnvironment({ shell, variables, usage: again });
  return { shell, host: name, client, variables, text };
}
