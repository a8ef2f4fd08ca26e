/**
 * Owns how the docker CLI calls its plugin: `docker [OPTIONS] tls ARGS` becomes `docker-tls [OPTIONS] tls ARGS`, with docker's own
 * options left in front (https://github.com/docker/cli/blob/master/cli-plugins/manager/manager.go, PluginRunCommand; seen in 20.10, 26.1 and 28.5).
 */

import { shellQuote } from '../domain/quote.ts';
import type { Runtime } from '../runtime.ts';

export type Call = Pick<Runtime, 'env' | 'program' | 'docker'> & {
  /** What is left for us: the command, its arguments and options. */
  readonly words: readonly string[];
};

/** Options of docker itself that take a value; all others are switches. */
const VALUED = ['config', 'context', 'host', 'log-level', 'tlscacert', 'tlscert', 'tlskey'];
const VALUED_LETTERS = 'cHl';

/** Reads how the program was called, as itself or as a plugin. Of docker's options --config counts here too: it says where the store is. */
export function readCall(argv: readonly string[], env: Runtime['env']): Call {
  const plugin = Boolean(env.DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND);
  const { config, count } = plugin ? dockerOptions(argv) : { config: undefined, count: 0 };
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

/** How many words in front are docker's options, and the value of --config. They are read as docker does, by the rules of Go's pflag. */
function dockerOptions(argv: readonly string[]): { count: number; config: string | undefined } {
  let config: string | undefined;
  let index = 0;
  for (; argv[index]?.startsWith('-'); index += 1) {
    const word = argv[index] as string;
    const [, name = '', value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const apart = name === '' ? takesNext(word.slice(1)) : VALUED.includes(name) && value === undefined;
    if (name === 'config') config = value ?? argv[index + 1];
    if (apart) index += 1;
  }
  return { count: index, config };
}

/** Whether letters behind one dash (`-D`, `-Dc`, `-cNAME`) want the next word: the first that takes a value takes what follows it. */
function takesNext(letters: string): boolean {
  const first = [...letters].findIndex((letter) => VALUED_LETTERS.includes(letter));
  return first >= 0 && first === letters.length - 1;
}
