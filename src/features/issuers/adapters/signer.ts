/** Signer options of a CA from flags or a fleet file, with the files that they name. */

import { existsSync } from 'node:fs';
import type { CaSigner } from '../../../core/domain/external-ca.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { caTokenOf, externalCaOf, type SignerFlags } from '../domain/external-ca-flags.ts';
import { anchorCommand } from './sign-command.ts';

/** The signer that the flags describe. `trust`: PEM of the CAs that certify its API. Fails with E_USAGE, E_SECRET_FILE (exit 2). */
export function signerOf(flags: SignerFlags, trust: string, cwd: string): CaSigner {
  const named = externalCaOf(flags, trust, cwd);
  const external = named?.kind === 'command' ? { ...named, command: anchorCommand(named.command, cwd) } : named;
  if (external?.kind !== 'command') {
    requireFile('--credential-file', external?.credentialFile);
    requireFile('--passphrase-file', external?.passphraseFile);
  }
  const token = caTokenOf(flags, cwd);
  requireFile('--pin-file', token?.pinFile);
  return { external, token };
}

function requireFile(flag: string, file: string | undefined): void {
  if (!file || existsSync(file)) return;
  throw new DockerTlsError('E_SECRET_FILE', `${flag}: ${file} is not there`, { hints: [`ls -l ${shellQuote(file)}`] });
}
