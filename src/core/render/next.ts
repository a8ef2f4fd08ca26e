/** The next commands after a plan or a change. */

import type { OptionSpec } from '../../cli/command.ts';
import { RUN_OPTIONS } from '../../cli/host-options.ts';
import { detectShell, useOf } from '../domain/environment.ts';
import { optionFlag } from '../domain/option-flag.ts';
import { shellQuote } from '../domain/quote.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { Runtime } from '../runtime.ts';

/** Commands that point docker at the host: by its context if it has one, else by the environment. */
export function useCommands(
  { name, use, reach }: Pick<HostSpec, 'name' | 'use' | 'reach'>,
  context: string | undefined,
  { docker, env }: Pick<Runtime, 'docker' | 'env'>,
): string[] {
  if (reach === 'ssh') return [`docker-tls tunnel ${name} -- docker ps`, 'docker-tls status'];
  if (context !== undefined) return [`${docker}${use ? '' : ` --context ${context}`} ps`, 'docker-tls status'];
  return [useOf(detectShell(env), `docker-tls env ${name}`), 'docker ps'];
}

/** `docker-tls apply` with the arguments of this run: HOSTs, the fleet file, and options of RUN_OPTIONS. */
export function applyCommand(
  hosts: readonly string[],
  file: string | undefined,
  options: Readonly<Record<string, unknown>>,
): string {
  const typed = Object.entries<OptionSpec>(RUN_OPTIONS).flatMap(([key, spec]) => {
    const given =
      spec.kind === 'duration' && options[key] !== undefined ? `${Number(options[key]) / 1000}s` : options[key];
    if (given === undefined || given === false) return [];
    return given === true ? [optionFlag(key)] : [given].flat().flatMap((one) => [optionFlag(key), String(one)]);
  });
  const words = [...hosts, ...(file === undefined ? [] : ['-f', file]), ...typed];
  return ['docker-tls apply', ...words.map(shellQuote)].join(' ');
}
