/** The next commands after a plan or a change. */

import type { CommandContext, OptionSpec } from '../../cli/command.ts';
import { GLOBAL_OPTIONS } from '../../cli/global-options.ts';
import { HOST_OPTIONS, POOL_OPTIONS, RUN_OPTIONS } from '../../cli/host-options.ts';
import type { Changed, Planned } from '../actions/results.ts';
import { hasPort } from '../domain/network-port.ts';
import { optionFlag } from '../domain/option-flag.ts';
import { shellQuote } from '../domain/quote.ts';
import type { HostSpec } from '../domain/settings.ts';
import { detectShell, useOf } from '../domain/shell-environment.ts';
import type { Runtime } from '../runtime.ts';
import { LISTENERS } from '../seams/listeners.ts';
import { offeredCommands } from '../seams/offered-commands.ts';
import { offered } from '../seams/seam.ts';
import { isChanging } from './plan-text.ts';

/** Commands that point docker at the host: by its context if it has one, else by the environment. `client`: if this computer has to choose one first. */
export function useCommands(
  { name, use, reach, listen }: Pick<HostSpec, 'name' | 'use' | 'reach' | 'listen'>,
  context: string | undefined,
  { docker, env }: Pick<Runtime, 'docker' | 'env'>,
  client?: string,
): string[] {
  if (!hasPort({ listen })) return ['docker-tls status'];
  const chosen = client === undefined ? [] : [`docker-tls client use ${client}`];
  if (reach === 'ssh') return [...chosen, ...offeredCommands('tunnel', name, '-- docker ps'), 'docker-tls status'];
  if (context !== undefined) return [`${docker}${use ? '' : ` --context ${context}`} ps`, 'docker-tls status'];
  return [...chosen, useOf(detectShell(env), `docker-tls env ${name}`), 'docker ps'];
}

/** `docker-tls apply` with the arguments of this run: HOSTs, and every option that `apply` takes. */
function applyCommand(hosts: readonly string[], { global, options: own }: Pick<Context, 'global' | 'options'>): string {
  const { file, parallel } = global;
  const options: Readonly<Record<string, unknown>> = { ...own, parallel };
  const typed = Object.entries<OptionSpec>({
    ...RUN_OPTIONS,
    ...POOL_OPTIONS,
    ...offered(LISTENERS, { install: HOST_OPTIONS.install }),
    parallel: GLOBAL_OPTIONS.parallel,
  }).flatMap(([key, spec]) => {
    const given =
      spec.kind === 'duration' && options[key] !== undefined ? `${Number(options[key]) / 1000}s` : options[key];
    if (given === undefined || given === false) return [];
    return given === true ? [optionFlag(key)] : [given].flat().flatMap((one) => [optionFlag(key), String(one)]);
  });
  const words = [...hosts, ...(file === undefined ? [] : ['-f', file]), ...typed];
  return ['docker-tls apply', ...words.map(shellQuote)].join(' ');
}

/** A host changes, or the CA or a client of the store. */
function hasWork({ hosts, wanted }: Planned): boolean {
  return hosts.some(isChanging) || (wanted.credentials.length > 0 && hosts.some(({ kind }) => kind === 'done'));
}

/** `apply`, or `plan`. */
type Context = CommandContext<{ readonly hosts: readonly string[] }, Readonly<Record<string, unknown>>>;

/** A retry for failed hosts; otherwise docker's commands for `first`, the first changed host. */
export function nextCommands(
  { planned, results }: Changed,
  context: Context,
  first?: { readonly spec: HostSpec; readonly context: string | undefined; readonly client: string | undefined },
): string[] {
  if (planned !== undefined) return hasWork(planned) ? [applyCommand(context.args.hosts, context)] : [];
  const left = results.flatMap(({ kind, host }) => (kind === 'done' ? [] : [host]));
  if (left.length > 0) return [`when that is fixed:  ${applyCommand(left, context)}`];
  return first === undefined ? [] : useCommands(first.spec, first.context, context.runtime, first.client);
}
