/**
 * Issuing by an external CA through a user's command: it gets a certificate request on stdin and prints the certificate. The answer is
 * verified before use; docs/ca.md has commands for step, Vault, cfssl and openssl.
 */

import { isAbsolute, resolve } from 'node:path';
import { execa } from 'execa';
import { shellQuote, shellWords } from '../../../core/domain/quote.ts';
import type { SignRequest } from '../../../core/runtime.ts';
import { DockerTlsError, interrupted, printableLines } from '../../../errors/errors.ts';
import { refused } from './answer.ts';

/** Enough time to carry the request to the CA by hand. */
const TIMEOUT_MS = 900_000;

/** Words of a command, without other shell syntax. Fails with E_USAGE. */
export function splitCommand(command: string): string[] {
  const words = shellWords(command);
  if (words === undefined) throw wrongCommand(command, 'a quotation mark is not closed');
  if (words.length === 0) throw wrongCommand(command, 'it is empty');
  return words;
}

/**
 * Program and arguments: replaces `{profile}` (server, client or issuer), `{days}` and `{name}` within words; without any of them, appends
 * profile and days.
 */
export function commandLine(
  command: string,
  { profile, days, name }: Pick<SignRequest, 'profile' | 'days' | 'name'>,
): [program: string, ...args: string[]] {
  const values: Readonly<Record<string, string>> = { profile, days: String(days), name };
  const words = splitCommand(command);
  const filled = words.map((word) => word.replace(/\{(profile|days|name)\}/g, (_, key: string) => values[key] ?? ''));
  const all = filled.join('\0') === words.join('\0') ? [...words, profile, String(days)] : filled;
  return all as [string, ...string[]];
}

/** The command for any working directory, since a timer runs in another one: a program relative to `cwd` becomes absolute. */
export function anchorCommand(command: string, cwd: string): string {
  const [program = '', ...args] = splitCommand(command);
  if (!program.includes('/') || isAbsolute(program)) return command;
  const begun = command.trimStart();
  const path = shellQuote(resolve(cwd, program));
  return begun.startsWith(program) ? path + begun.slice(program.length) : [path, ...args.map(shellQuote)].join(' ');
}

/** Runs `command`. Fails with E_SIGN_COMMAND if it fails, E_SIGN_ANSWER if its output does not match the request. */
export async function signByCommand(command: string, request: SignRequest, signal?: AbortSignal): Promise<string> {
  const [program, ...args] = commandLine(command, request);
  const ran = await execa(program, args, {
    input: request.csr,
    reject: false,
    timeout: TIMEOUT_MS,
    maxBuffer: 1024 * 1024,
    stripFinalNewline: false,
    cancelSignal: signal,
  });
  // Ctrl-C reaches the terminal's whole foreground group, including the command; a signal to this process alone does not.
  if (ran.isCanceled || ran.signal === 'SIGINT')
    throw interrupted(`interrupted while the sign command for ${request.name} ran`);
  if (ran.failed) {
    const how = ran.timedOut
      ? `did not end within ${TIMEOUT_MS / 60_000} minutes`
      : ran.exitCode === undefined
        ? `could not be run: ${ran.code ?? ran.shortMessage}`
        : `ended with status ${ran.exitCode}`;
    const details = printableLines(ran.stderr ?? '', 10);
    const hints = [
      `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=test | ${[program, ...args].map(shellQuote).join(' ')}`,
    ];
    const more = { where: request.name, details, hints };
    if (ran.timedOut || ran.exitCode === undefined)
      throw new DockerTlsError('E_SIGN_COMMAND', `the sign command ${how}`, more);
    throw refused(request, 'E_SIGN_COMMAND', `the sign command ${how}`, more);
  }
  return ran.stdout;
}

function wrongCommand(command: string, why: string): DockerTlsError {
  return new DockerTlsError('E_USAGE', `the sign command cannot be split into words: ${why}`, {
    where: command,
    hints: ["--sign-command '/usr/local/bin/sign-docker {profile} {days}'"],
  });
}
