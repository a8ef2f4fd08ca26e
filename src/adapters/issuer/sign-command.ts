/**
 * Owns issuing by a CA whose key is external: a command of the user's gets a certificate request on stdin and prints the certificate.
 * What comes back is checked before it is used; docs/ca.md tells how commands for step, Vault, cfssl and openssl look.
 */

import { isAbsolute, resolve } from 'node:path';
import { parseCsr } from '../../domain/pki/csr.ts';
import { inspectCertificate, splitBundle, verifyChain, worksAsClient } from '../../domain/pki/inspect.ts';
import { openPublicKey } from '../../domain/pki/keys.ts';
import { formatSan } from '../../domain/pki/names.ts';
import { shellQuote, shellWords } from '../../domain/quote.ts';
import { dateWords } from '../../domain/words.ts';
import { DockerTlsError, interrupted, printableLines } from '../../errors/errors.ts';
import type { SignRequest } from '../../runtime.ts';

/** Long enough to carry the request to the CA by hand. */
const TIMEOUT_MS = 900_000;
const CLOCK_MS = 300_000;

/** The words of a command; nothing else of a shell has a meaning. Fails with E_USAGE. */
export function splitCommand(command: string): string[] {
  const words = shellWords(command);
  if (words === undefined) throw wrongCommand(command, 'a quotation mark is not closed');
  if (words.length === 0) throw wrongCommand(command, 'it is empty');
  return words;
}

/**
 * The program and its arguments: `{profile}` (server or client), `{days}` and `{name}` are replaced within words; where none of them
 * stands, profile and days are added at the end.
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

/** The same command for any directory: a program that is named from `cwd` is named from the root. A timer runs in another directory. */
export function anchorCommand(command: string, cwd: string): string {
  const [program = '', ...args] = splitCommand(command);
  if (!program.includes('/') || isAbsolute(program)) return command;
  const begun = command.trimStart();
  const path = shellQuote(resolve(cwd, program));
  return begun.startsWith(program) ? path + begun.slice(program.length) : [path, ...args.map(shellQuote)].join(' ');
}

/** No certificate outlives its CA, whatever a command would sign: what is asked for ends with the CA. */
function daysWithin({ days, ca, now }: SignRequest): number {
  const [first] = splitBundle(ca);
  if (first === undefined) return days;
  const left = Math.floor((inspectCertificate(first).notAfter.getTime() - now.getTime()) / 86_400_000);
  return Math.max(1, Math.min(days, left));
}

/** Runs `command`. Fails with E_SIGN_COMMAND when it fails, E_SIGN_ANSWER when what it prints is not what was asked for. */
export async function sign(command: string, request: SignRequest): Promise<string> {
  const [program, ...args] = commandLine(command, { ...request, days: daysWithin(request) });
  const { execa } = await import('execa');
  const ran = await execa(program, args, {
    input: request.csr,
    reject: false,
    timeout: TIMEOUT_MS,
    maxBuffer: 1024 * 1024,
    stripFinalNewline: false,
  });
  // Ctrl-C goes to the terminal's whole foreground group, the command included.
  if (ran.signal === 'SIGINT') throw interrupted(`interrupted while the sign command for ${request.name} ran`);
  if (ran.failed) {
    throw new DockerTlsError({
      code: 'E_SIGN_COMMAND',
      where: request.name,
      message: `the sign command ${ran.timedOut ? `did not end within ${TIMEOUT_MS / 60_000} minutes` : ran.exitCode === undefined ? `could not be run: ${ran.code ?? ran.shortMessage}` : `ended with status ${ran.exitCode}`}`,
      details: printableLines(ran.stderr ?? '', 10),
      hints: [
        `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=test | ${[program, ...args].map(shellQuote).join(' ')}`,
      ],
    });
  }
  return checkSigned(ran.stdout, request);
}

/** The leaf for the request's key, then its chain; all else that was printed is left out. Fails with E_SIGN_ANSWER. */
export function checkSigned(printed: string, request: SignRequest): string {
  try {
    return readSigned(printed, request);
  } catch (error) {
    // Of what was printed, not of a file of the user's.
    if (error instanceof DockerTlsError && error.code !== 'E_SIGN_COMMAND') throw wrongAnswer(request, error.message);
    throw error;
  }
}

function readSigned(printed: string, request: SignRequest): string {
  const blocks = printed.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  const certificates = blocks.flatMap((block) => splitBundle(`${block}\n`));
  const wanted = openPublicKey(parseCsr(request.csr).publicKey);
  const leaf = certificates.find((pem) => openPublicKey(pem).equals(wanted));
  if (leaf === undefined) {
    throw wrongAnswer(
      request,
      certificates.length === 0 ? 'it printed no certificate' : 'it printed a certificate for another key',
    );
  }
  const info = inspectCertificate(leaf);
  if (info.isCa) throw wrongAnswer(request, 'it printed the certificate of a CA');
  const chain = certificates.filter((pem) => pem !== leaf && !inspectCertificate(pem).selfIssued);
  const cert = [leaf, ...chain].join('');
  const verdict = verifyChain({
    leaf: cert,
    anchors: [request.ca],
    purpose: request.profile,
    now: begun(info.notBefore, request.now),
  });
  if (!verdict.ok)
    throw wrongAnswer(request, `its certificate does not hold under the CA of this store: ${verdict.message}`);
  const [ca = ''] = splitBundle(request.ca);
  const end = ca === '' ? undefined : inspectCertificate(ca).notAfter;
  if (end !== undefined && info.notAfter > end)
    throw wrongAnswer(
      request,
      `its certificate ends on ${dateWords(info.notAfter)}, after its CA (${dateWords(end)}), which strict verifiers refuse`,
    );
  // A host's certificate must not work as a client of other hosts; without a purpose it would.
  if (request.profile === 'server' && worksAsClient(info))
    throw wrongAnswer(
      request,
      `its certificate is good for clients as well (extended key usage: ${info.extKeyUsage?.join(', ') ?? 'none'}); serverAuth alone is needed`,
    );
  if (info.keyUsage !== null && !info.keyUsage.includes('digitalSignature'))
    throw wrongAnswer(
      request,
      `its certificate may not sign (key usage: ${info.keyUsage.join(', ')}), which TLS 1.3 needs`,
    );
  const has = new Set(info.sans.map(formatSan));
  const missing = (request.sans ?? []).filter((san) => !has.has(formatSan(san)));
  if (missing.length > 0)
    throw wrongAnswer(request, `its certificate lacks ${missing.map((san) => san.value).join(', ')}`);
  return cert;
}

/** Not every CA backdates, its clock may be ahead, and `now` was read before the command ran: a certificate that begins soon has begun. */
function begun(notBefore: Date, now: Date): Date {
  const early = notBefore.getTime() - now.getTime();
  return early > 0 && early <= CLOCK_MS ? notBefore : now;
}

function wrongAnswer({ name }: SignRequest, why: string): DockerTlsError {
  return new DockerTlsError({
    code: 'E_SIGN_ANSWER',
    where: name,
    message: `what the sign command gave cannot be used: ${why}`,
    hints: ['docker-tls ca show', 'docker-tls ca import --cert FILE --sign-command COMMAND'],
  });
}

function wrongCommand(command: string, why: string): DockerTlsError {
  return new DockerTlsError({
    code: 'E_USAGE',
    message: `the sign command cannot be split into words: ${why}`,
    where: command,
    hints: ["--sign-command '/usr/local/bin/sign-docker {profile} {days}'"],
  });
}
