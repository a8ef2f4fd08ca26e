/** Owns the commands to go on with after a plan or a change. */

import { detectShell, useOf } from '../../adapters/docker/environment.ts';
import { shellQuote } from '../../domain/quote.ts';
import type { HostSpec } from '../../domain/settings.ts';
import type { Runtime } from '../../runtime.ts';

/** How docker reaches the host: by its context where it has one, else by the environment. */
export function useCommands(
  { name, use }: Pick<HostSpec, 'name' | 'use'>,
  context: string | undefined,
  { docker, env }: Pick<Runtime, 'docker' | 'env'>,
): string[] {
  if (context !== undefined) return [`${docker}${use ? '' : ` --context ${context}`} ps`, 'docker-tls status'];
  return [useOf(detectShell(env), `docker-tls env ${name}`), 'docker ps'];
}

/** Hosts as they were named for this run: `docker-tls apply a b -f fleet.yaml`. */
export function applyCommand(
  hosts: readonly string[],
  from: { readonly file: string | undefined; readonly inventory: string | undefined },
): string {
  const words = [
    ...hosts,
    ...(from.file === undefined ? [] : ['-f', from.file]),
    ...(from.inventory === undefined ? [] : ['--inventory', from.inventory]),
  ];
  return ['docker-tls apply', ...words.map(shellQuote)].join(' ');
}
