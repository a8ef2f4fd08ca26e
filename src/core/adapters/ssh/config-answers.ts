/**
 * Answers of `ssh -G`: one per run for all destinations that the configuration treats alike (config-rules.ts), and one for each of the
 * others. A process of ssh costs more than the rest of a login.
 */

import { type Stats, statSync } from 'node:fs';
import { DockerTlsError, printableLines } from '../../../errors/errors.ts';
import { installHereHint } from '../../domain/dockerd/packages.ts';
import { shellQuote } from '../../domain/quote.ts';
import { readNamedFile, whyNotRead } from '../../named-file.ts';
import type { SshOptions } from '../../runtime.ts';
import { loginName, osReleaseHere } from '../../user.ts';
import { type ConfigRules, kindOfDestination, parseRules } from './config-rules.ts';
import { runSsh } from './ssh-program.ts';

/** Values by lower-case keyword. */
export type ConfigValues = ReadonlyMap<string, readonly string[]>;

/** The lines of `ssh -G` (ssh_config(5)) as lists of values by lower-case keyword. */
export function parseSshG(text: string): ConfigValues {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space <= 0) continue;
    const key = line.slice(0, space).toLowerCase();
    values.set(key, [...(values.get(key) ?? []), line.slice(space + 1).trim()]);
  }
  return values;
}

type Known<T> = Map<string, { readonly at: number; readonly value: Promise<T> }>;

/** By the named configuration file. */
const rulesByFile: Known<ConfigRules | undefined> = new Map();
const answers: Known<ConfigValues> = new Map();
/** `status --watch` runs for days, and the configuration may change. */
const KEPT_MS = 60_000;

/** The configuration for the destination; empty without ssh. Errors: E_SSH_CONFIG, E_INTERRUPTED. */
export async function askConfig(options: SshOptions): Promise<ConfigValues> {
  // ssh does not run for a user without a login name, who cannot have a configuration either.
  if (options.configFile === undefined && loginName() === undefined) return new Map();
  requireFile(options);
  const rules = await once(rulesByFile, options.configFile ?? '', () => readRules(options));
  const { shared, key } = questionOf(options, rules);
  const values = await once(answers, key, () => ask(options));
  if (!shared || values.size === 0) return values;
  return new Map([...values, ['host', [options.destination]], ['hostname', [options.destination]]]);
}

/** Rejects a pipe: ssh would wait for it forever. */
function requireFile({ configFile, host }: SshOptions): void {
  if (configFile === undefined || configFile === '/dev/null') return;
  const hints = [`ls -ld ${shellQuote(configFile)}`];
  let found: Stats | undefined;
  try {
    found = statSync(configFile, { throwIfNoEntry: false });
  } catch (cause) {
    const message = `--ssh-config ${configFile} cannot be read: ${whyNotRead(cause)}`;
    throw new DockerTlsError('E_SSH_CONFIG', message, { where: host, hints, cause });
  }
  if (found === undefined || found.isFile()) return;
  throw new DockerTlsError('E_SSH_CONFIG', `--ssh-config ${configFile} is not a file`, { where: host, hints });
}

/** Shares one answer between equal questions; if it failed (it was interrupted), each caller asks again. */
async function once<T>(known: Known<T>, key: string, work: () => Promise<T>): Promise<T> {
  const first = known.get(key);
  if (first !== undefined && performance.now() - first.at < KEPT_MS) return first.value.catch(work);
  const own = { at: performance.now(), value: work() };
  known.set(key, own);
  own.value.catch(() => known.get(key) === own && known.delete(key));
  return own.value;
}

/**
 * The inputs of the answer. Of the other options, a user changes only the user and a port only the port; callers take both from the
 * options.
 */
function questionOf({ configFile, destination, user, port }: SshOptions, rules: ConfigRules | undefined) {
  const kind = rules === undefined ? undefined : kindOfDestination(rules, destination);
  const about = kind === undefined ? { destination, port } : { kind, port: port === undefined };
  return { shared: kind !== undefined, key: JSON.stringify({ configFile, user, ...about }) };
}

/** Asks ssh for the files that it reads (ssh(1), -v), and for its answer. Undefined if this parser cannot interpret them. */
async function readRules(options: SshOptions): Promise<ConfigRules | undefined> {
  const { status, stdout, stderr } = await runSsh(['-v', ...wordsFor(options)], options);
  if (status !== 0) return undefined;
  const files = [...stderr.matchAll(/^debug1: Reading configuration data (.*)$/gm)].map(([, file = '']) => file.trim());
  // ssh prints the first 200 characters of a name.
  const whole = files.every((file) => file.length < 190);
  const texts = await Promise.all([...new Set(files)].map((file) => readNamedFile(file).then(String))).catch(
    () => undefined,
  );
  const rules = whole && texts !== undefined ? parseRules(texts) : undefined;
  const value = Promise.resolve(parseSshG(stdout));
  answers.set(questionOf(options, rules).key, { at: performance.now(), value });
  return rules;
}

function wordsFor({ configFile, user, port, destination }: SshOptions): string[] {
  return [
    '-G',
    ...(configFile === undefined ? [] : ['-F', configFile]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    '--',
    destination,
  ];
}

async function ask(options: SshOptions): Promise<ConfigValues> {
  const words = wordsFor(options);
  const result = await runSsh(words, options);
  if (result.status === 0) return parseSshG(result.stdout);
  if (result.status === 'missing') {
    if (options.configFile === undefined) return new Map();
    throw new DockerTlsError(
      'E_SSH_CONFIG',
      `${options.configFile} can be read by the ssh program only, and there is none`,
      { where: options.host, hints: [installHereHint(osReleaseHere(), ['openssh-client'])] },
    );
  }
  // CanonicalizeHostname, with CanonicalizeFallbackLocal no.
  if (/^ssh: Could not resolve host/im.test(result.stderr))
    throw new DockerTlsError(
      'E_SSH_NAME',
      `no address is known for ${options.destination} in the domains that the ssh configuration names (CanonicalDomains)`,
      {
        where: options.host,
        hints: [`give the whole name, or see: ${['ssh', ...words].map(shellQuote).join(' ')}`],
      },
    );
  throw new DockerTlsError('E_SSH_CONFIG', 'ssh does not accept its configuration', {
    where: options.host,
    details: printableLines(result.stderr, 5),
    hints: [['ssh', ...words].map(shellQuote).join(' ')],
  });
}
