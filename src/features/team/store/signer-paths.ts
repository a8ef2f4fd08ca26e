/** Paths of files on this computer that a signer needs: a shared store has none of them. */

import type { CaSigner } from '../../../core/domain/external-ca.ts';

/** Absolute paths on this machine that a signer needs. A shared store has none: each machine names its own. */
type SignerFiles = Partial<Record<(typeof SIGNER_FILES)[number], string>>;
const SIGNER_FILES = ['credentialFile', 'passphraseFile', 'module', 'pinFile'] as const;

/** What the files are for: the same CA at another address, or another key of a token, has other files. */
function signerIds({ external, token }: CaSigner): { readonly api?: string; readonly token?: string } {
  const api = external === undefined || external.kind === 'command' ? undefined : `${external.kind} ${external.url}`;
  return { api, token: token?.uri };
}

/** The files that a signer names, by what they are for. */
export function signerFiles(signer: CaSigner): (readonly [id: string, files: SignerFiles])[] {
  const { api, token } = signerIds(signer);
  return [
    ...(api === undefined ? [] : [[api, filesAmong({ ...signer.external })] as const]),
    ...(token === undefined ? [] : [[token, filesAmong({ ...signer.token })] as const]),
  ];
}

function filesAmong(fields: Readonly<Record<string, unknown>>): SignerFiles {
  const named = SIGNER_FILES.map((key) => [key, fields[key]] as const);
  return Object.fromEntries(named.filter(([, value]) => typeof value === 'string'));
}

/** The signer with these files in place of its own. */
export function withSignerFiles<T extends CaSigner>(
  signer: T,
  files: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): T {
  const { external, token } = signer;
  const ids = signerIds(signer);
  const { credentialFile, passphraseFile } = filesAmong(files[ids.api ?? ''] ?? {});
  const { module, pinFile } = filesAmong(files[ids.token ?? ''] ?? {});
  const api = external && ('url' in external ? { ...external, credentialFile, passphraseFile } : external);
  return { ...signer, external: api, token: token && { ...token, module, pinFile } };
}
