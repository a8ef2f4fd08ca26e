/** `ca show`: the active CA, and old CAs that are still trusted. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { storeOf } from '../actions/open-store.ts';
import type { StoredOldCa } from '../adapters/store/records.ts';
import { type ExternalCa, externalCaWords } from '../domain/external-ca.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import { isEncrypted } from '../domain/pki/keys.ts';
import type { Secret } from '../domain/secret.ts';
import { noCa } from '../domain/trust/ca-refusals.ts';
import { dateWords, plural } from '../domain/words.ts';

export type CaShowDocument = {
  readonly subject: string;
  readonly issuer: string;
  /** Issued by another CA. */
  readonly intermediate: boolean;
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly keyType: string;
  readonly key: CaKeyDocument;
  /** How many clients have an issuing CA below it. */
  readonly clientIssuers: number;
  /** Its key in a token. */
  readonly token?: { readonly uri: string; readonly module?: string; readonly pinFile?: string };
  /** What signs with an external key. */
  readonly external?: SignerDocument;
  /** The signer signs no CAs: dockerd cannot reject its clients one by one. */
  readonly leafOnly?: boolean;
  /** Earlier CAs that are still trusted. */
  readonly old: readonly {
    readonly subject: string;
    readonly fingerprint: string;
    readonly notAfter: Date;
    readonly key: CaKeyDocument;
  }[];
};

type CaKeyDocument = 'encrypted' | 'not encrypted' | 'external' | 'token';

type SignerDocument =
  | { readonly kind: 'command'; readonly command: string }
  | {
      readonly kind: 'step-ca' | 'cfssl' | 'vault';
      readonly url: string;
      /** The CA's own names for what it signs. */
      readonly profiles: { readonly server: string; readonly client: string; readonly issuer: string };
      /** Files that this computer uses. */
      readonly credentialFile?: string;
      readonly passphraseFile?: string;
    };

export const command = defineCommand({
  scope: ['store'],
  examples: ['docker-tls ca show', 'docker-tls ca show --json'],
  args: {},
  options: {},
  /** Fails with E_NO_CA (exit 2). */
  async run(context): Promise<CommandResult<CaShowDocument>> {
    const { ca, oldCas, issuers } = await storeOf(context).read();
    if (ca === undefined) throw noCa();
    const { key, ...info } = viewOf(ca);
    const { external, token, leafOnly = false } = ca.record;
    const old = oldCas.map(viewOf);
    const { subject, issuer, fingerprint, notBefore, notAfter, keyType, selfIssued } = info;
    const clientIssuers = issuers.size;
    const where =
      key === 'external'
        ? external === undefined
          ? 'external: nothing can be issued here'
          : `external; signs${leafOnly ? ' leaf certificates only' : ''} by: ${externalCaWords(external)}`
        : key === 'token'
          ? `in a token: ${token?.uri} (${keyType})`
          : `${key} (${keyType})`;
    const text = [
      `subject      ${subject}${selfIssued ? '' : ` (issued by ${issuer})`}`,
      `fingerprint  ${fingerprint}`,
      `valid        ${dateWords(notBefore)} to ${dateWords(notAfter)}`,
      `key          ${where}`,
      `clients      ${plural(clientIssuers, 'issuing CA', 'issuing CAs')} below it`,
      ...old.map((one) => `still trusted ${one.subject}, until ${dateWords(one.notAfter)}; key ${one.key}`),
    ].join('\n');
    const result = {
      ...{ subject, issuer, intermediate: !selfIssued, fingerprint, notBefore, notAfter, keyType, key, clientIssuers },
      token: token && { uri: token.uri, module: token.module, pinFile: token.pinFile },
      external: external && signerDocument(external),
      leafOnly: external && leafOnly,
      old: old.map(({ subject, fingerprint, notAfter, key }) => ({ subject, fingerprint, notAfter, key })),
    };
    return { exit: 0, result, text };
  },
});

function viewOf({ cert, keyPem, record }: Omit<StoredOldCa, 'serial'>) {
  const key: CaKeyDocument = record?.token === undefined ? keyState(keyPem) : 'token';
  return { ...inspectCertificate(cert), key };
}

function keyState(key: Secret | undefined): 'encrypted' | 'not encrypted' | 'external' {
  if (key === undefined) return 'external';
  return isEncrypted(key) ? 'encrypted' : 'not encrypted';
}

function signerDocument(external: ExternalCa): SignerDocument {
  if (external.kind === 'command') return { kind: 'command', command: external.command };
  const { kind, url, profiles, credentialFile, passphraseFile } = external;
  const { server, client, issuer } = profiles;
  return { kind, url, profiles: { server, client, issuer }, credentialFile, passphraseFile };
}
