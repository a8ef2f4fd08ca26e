/**
 * Calls of the docker CLI to its plugin: `docker [OPTIONS] tls ARGS` becomes `docker-tls [OPTIONS] tls ARGS`, with docker's own
 * options left in front (https://github.com/docker/cli/blob/master/cli-plugins/manager/manager.go, PluginRunCommand; seen in 20.10, 26.1 and 28.5).
 */

import { shellQuote } from '../core/domain/quote.ts';
import type { Runtime } from '../core/runtime.ts';

type Call = Pick<Runtime, 'env' | 'program' | 'docker'> & {
  /** The remaining words for docker-tls: the command, its arguments and options. */
  readonly words: readonly string[];
};

/** Options of docker itself that take a value; all others are switches. */
const VALUED = ['config', 'context', 'host', 'log-level', 'tlscacert', 'tlscert', 'tlskey'];
const VALUED_LETTERS = 'cHl';

/** Detects whether docker-tls runs as itself or as a plugin. Docker's --config also applies here, because it locates the store. */
export function readCall(argv: readonly string[], env: Runtime['env']): Call {
  const plugin = Boolean(env.DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND);
  const { config, count }: DockerOptions = plugin ? dockerOptions(argv) : { count: 0 };
  const rest = argv.slice(count);
  const help = rest[0] === 'help' && rest[1] === 'tls';
  if (rest[0] !== 'tls' && !help) {
    return { words: argv, env, program: plugin ? 'docker tls' : 'docker-tls', docker: 'docker' };
  }
  const docker = config === undefined ? 'docker' : `docker --config ${shellQuote(config)}`;
  return {
    words: help ? ['help', ...rest.slice(2)] : rest.slice(1),
    env: config === undefined ? env : { ...env, DOCKER_CONFIG: config },
    program: `${docker} tls`,
    docker,
  };
}

export type DockerOptions = {
  /** Number of leading words that are docker's options. */
  readonly count: number;
  readonly config?: string | undefined;
  readonly context?: string | undefined;
  readonly host?: string | undefined;
};

/** Docker's own options in front of its command, read as docker does, by the rules of Go's pflag. */
export function dockerOptions(argv: readonly string[]): DockerOptions {
  const found: Record<string, string | undefined> = {};
  let index = 0;
  for (; argv[index]?.startsWith('-'); index += 1) {
    const word = argv[index] as string;
    const [, name = '', value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const letters = [...word.slice(1)];
    const letter = letters.findIndex((one) => VALUED_LETTERS.includes(one));
    // In a group of short options (`-D`, `-Dc`, `-cNAME`), the first that takes a value consumes the rest.
    const last = letter >= 0 && letter === letters.length - 1;
    const apart = name === '' ? last : VALUED.includes(name) && value === undefined;
    if (VALUED.includes(name)) found[name] = value ?? argv[index + 1];
    else if (name === '' && letter >= 0)
      found[letters[letter] as string] = apart
        ? argv[index + 1]
        : letters
            .slice(letter + 1)
            .join('')
            .replace(/^=/, '');
    if (apart) index += 1;
  }
  return { count: index, config: found.config, context: found.context ?? found.c, host: found.host ?? found.H };
}
