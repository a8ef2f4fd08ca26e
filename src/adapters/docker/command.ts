/** Owns a command that runs for a person, on their terminal, beside this program. */

import { spawn } from 'node:child_process';
import { shellQuote } from '../../domain/quote.ts';
import type { ExitStatus } from '../../errors/catalogue.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { showTyping } from '../../typing.ts';

/** Its exit status. Fails with E_PROGRAM_MISSING (exit 2). */
export function runCommand(
  [file = '', ...args]: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<ExitStatus> {
  showTyping();
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'inherit', env });
    child.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new DockerTlsError('E_PROGRAM_MISSING', `${file} cannot be started: ${cause.code ?? 'unknown'}`, {
          hints: [`command -v ${shellQuote(file)}`],
          cause,
        }),
      ),
    );
    child.once('close', (status, signal) => resolve((status ?? (signal === 'SIGINT' ? 130 : 1)) as ExitStatus));
  });
}
