/** How a CA signs that flags or a fleet file name: its options, with the files that they name. */

import { existsSync } from 'node:fs';
import type { SignerFlags } from '../../domain/external-ca.ts';
import { caTokenOf, externalCaOf } from '../../domain/external-ca-flags.ts';
import { shellQuote } from '../../domain/quote.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import type { Issuers } from '../../seams/issuers.ts';
import { anchorCommand } from './sign-command.ts';

export const signerOf: Issuers['signerOf'] = (flags: SignerFlags, trust, cwd) => {
  const named = externalCaOf(flags, trust, cwd);
  const external = named?.kind === 'command' ? { ...named, command: anchorCommand(named.command, cwd) } : named;
  if (external?.kind !== 'command') {
    requireFile('--credential-file', external?.credentialFile);
    requireFile('--passphrase-file', external?.passphraseFile);
  }
  const token = caTokenOf(flags, cwd);
  requireFile('--pin-file', token?.pinFile);
  return { external, token };
};

function requireFile(flag: string, file: string | undefined): void {
  if (!file || existsSync(file)) return;
  throw new DockerTlsError('E_SECRET_FILE', `${flag}: ${file} is not there`, { hints: [`ls -l ${shellQuote(file)}`] });
}
