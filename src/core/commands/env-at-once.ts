/**
 * Fast path of `env` for a shell prompt or login, for bin/docker-tls.js: main is not loaded, and the store is only looked at
 * (adapters/store/look.ts). Words that commander might read differently, a host without a direct connection, and all failures are left to
 * the command itself (env.ts), which shares the lines.
 */

import { readCall } from '../../cli/plugin-call.ts';
import type { GlobalOptions } from '../actions/action-context.ts';
import { lookAt } from '../adapters/store/look.ts';
import { dockerHost } from '../domain/destination.ts';
import { hasPort } from '../domain/network-port.ts';
import {
  detectShell,
  type HostLines,
  isShell,
  renderEnvironment,
  type Shell,
  type UnsetLines,
} from '../domain/shell-environment.ts';
import { meantClient, type ReachableHost, reachableHosts } from '../domain/trust/reachable-hosts.ts';
import type { Runtime } from '../runtime.ts';
import { writerTo } from '../stdout.ts';
import { storeDirectory, workingDirectory } from '../user.ts';

type Words = {
  readonly host: string | undefined;
  readonly unset: boolean;
  readonly client?: string;
  readonly format?: string;
  readonly shell?: string;
  readonly home?: string;
};

/** Prints the output of `docker-tls ARGV`; false to leave it to main. */
export function printAtOnce(argv: readonly string[]): boolean {
  const text = envAtOnce(argv, { env: process.env, cwd: workingDirectory() });
  if (text === undefined) return false;
  writerTo(process.stdout)(text);
  return true;
}

/** The output of `docker-tls ARGV`, if it is `env` for a shell and certain to succeed. */
export function envAtOnce(argv: readonly string[], around: Pick<Runtime, 'env' | 'cwd'>): string | undefined {
  try {
    const { words, env, program } = readCall(argv, around.env);
    const given = words[0] === 'env' ? plainWords(words.slice(1)) : undefined;
    if (given === undefined || (given.format !== undefined && given.shell !== undefined)) return undefined;
    const shell = given.format ?? given.shell ?? detectShell(env);
    if (!isShell(shell)) return undefined;
    const runtime = { env, cwd: around.cwd, program };
    return environmentAtOnce(
      { host: given.host, client: given.client, shell, unset: given.unset },
      { runtime, global: { home: storeDirectory(given.home, runtime) } },
    );
  } catch {
    return undefined;
  }
}

/** `[HOST] [--OPTION VALUE | --OPTION=VALUE]… [--unset]`, each at most once, with a value that cannot be anything else. */
export function plainWords(words: readonly string[]): Words | undefined {
  const found: Record<string, string> = {};
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as string;
    const [, option, joined] = /^--(client|format|shell|home|unset)(?:=(.*))?$/s.exec(word) ?? [];
    if (option === undefined && !/^[A-Za-z0-9]/.test(word)) return undefined;
    if (option !== undefined && option !== 'unset' && joined === undefined) index += 1;
    const key = option ?? 'host';
    const value = option === undefined ? word : option === 'unset' ? 'unset' : (joined ?? words[index] ?? '');
    if (key in found || value === '' || /^[-~]/.test(value) || (option === 'unset' && joined !== undefined))
      return undefined;
    found[key] = value;
  }
  const { host, unset, ...options } = found;
  return { host, unset: unset !== undefined, ...options };
}

type EnvWords = {
  readonly host: string | undefined;
  readonly client: string | undefined;
  readonly shell: Shell;
  readonly unset: boolean;
};

function environmentAtOnce({ host, client, shell, unset }: EnvWords, around: Around): string | undefined {
  const { runtime, global } = around;
  if (unset) return unsetLines(shell).text;
  if (runtime.env.DOCKER_TLS_STORE) return undefined;
  const look = lookAt(global.home, host);
  if (look === undefined) return undefined;
  const hosts = reachableHosts(look);
  const found = host === undefined && hosts.size === 1 ? [...hosts.values()][0] : hosts.get(host ?? '');
  const record = found && look.hosts.get(found.record.name)?.record;
  if (found === undefined || record?.reach === 'ssh' || !hasPort(record ?? {})) return undefined;
  const meant = meantClient(look.clients, found, client ?? (runtime.env.DOCKER_TLS_CLIENT || undefined));
  if (meant === undefined) return undefined;
  const { directory } = meant;
  return hostLines({ shell, host: found, client: meant.record.name, directory }, around).text;
}

const NOTHING = { DOCKER_HOST: '', DOCKER_TLS_VERIFY: '', DOCKER_CERT_PATH: '' };

type Around = {
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

export function unsetLines(shell: Shell): UnsetLines {
  const text = renderEnvironment({ shell, variables: NOTHING, unset: true });
  return { shell, unset: Object.keys(NOTHING), text };
}

export function hostLines({ shell, host, client, directory }: Pointed, { runtime, global }: Around): HostLines {
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
