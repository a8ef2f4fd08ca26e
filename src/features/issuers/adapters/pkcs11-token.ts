/**
 * Signing by a PKCS#11 token, through OpenSSL and its pkcs11 provider (https://github.com/latchset/pkcs11-provider). A separate pipe
 * carries the PIN; it is never in arguments, environment or files.
 */

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { installHereHint } from '../../../core/domain/dockerd/install-hints.ts';
import type { CaToken } from '../../../core/domain/external-ca.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { TokenRequest } from '../../../core/runtime.ts';
import { osReleaseHere } from '../../../core/user.ts';
import { DockerTlsError, interrupted, printableLines } from '../../../errors/errors.ts';

const TIMEOUT_MS = 60_000;

/** SoftHSM crashes if a process finalises it twice; other modules tolerate it. */
function configuration({ module }: CaToken): string {
  return `openssl_conf = openssl_init
[openssl_init]
providers = providers
[providers]
default = default_provider
pkcs11 = pkcs11_provider
[default_provider]
activate = 1
[pkcs11_provider]
${module === undefined ? '' : `pkcs11-module-path = ${module}\n`}pkcs11-module-quirks = no-deinit
activate = 1
`;
}

/** Fails like `SignByToken`. */
export async function signByToken(
  token: CaToken,
  { pin, hash, body }: TokenRequest,
  signal?: AbortSignal,
): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'docker-tls-token-'));
  try {
    const file = join(directory, 'openssl.cnf');
    await writeFile(file, configuration(token), { mode: 0o600 });
    return await run(token, file, { pin: pin.revealText(), hash, body }, signal);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function run(
  token: CaToken,
  config: string,
  { pin, hash, body }: Omit<TokenRequest, 'pin'> & { readonly pin: string },
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const key = `${token.uri}${/[:;]type=/.test(token.uri) ? '' : ';type=private'}`;
  return new Promise((resolve, reject) => {
    const child = spawn('openssl', ['dgst', `-${hash}`, '-sign', key, '-passin', 'fd:3'], {
      env: { ...process.env, OPENSSL_CONF: config },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
      signal,
    });
    const stopped = () => interrupted('interrupted while the token signed', { where: token.uri });
    const out: Buffer[] = [];
    let err = '';
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.on('error', (cause: NodeJS.ErrnoException) =>
      reject(signal?.aborted ? stopped() : failed(token, `openssl could not be run: ${cause.code ?? 'unknown'}`, [])),
    );
    child.on('close', (status, signal) => {
      if (status === 0 && out.length > 0) resolve(Buffer.concat(out));
      else if (signal === 'SIGINT') reject(stopped());
      else if (signal !== null) {
        const why = child.killed
          ? `no signature within ${TIMEOUT_MS / 1000} seconds`
          : `openssl was ended by ${signal}`;
        reject(failed(token, why, printableLines(err, 5)));
      } else reject(failed(token, 'OpenSSL did not find the key, or its PIN is wrong', printableLines(err, 5)));
    });
    for (const [fd, data] of [
      [3, `${pin}\n`],
      [0, body],
    ] as const) {
      const pipe = child.stdio[fd] as Writable;
      pipe.on('error', () => {}); // it ended without reading; its status has the reason
      pipe.end(data);
    }
  });
}

/** No retry: tokens lock themselves after a few wrong PINs. */
function failed(token: CaToken, why: string, details: readonly string[]): DockerTlsError {
  return new DockerTlsError('E_TOKEN', `the token did not sign: ${why}`, {
    where: token.uri,
    details,
    hints: [
      installHereHint(osReleaseHere(), ['openssl', 'pkcs11-provider']),
      `${token.module === undefined ? 'p11tool --list-all' : `pkcs11-tool --module ${shellQuote(token.module)} --list-objects`}`,
    ],
  });
}
