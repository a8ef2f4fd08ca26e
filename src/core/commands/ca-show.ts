/** `ca show`: the active CA, and old CAs that are still trusted. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import type { ActionContext } from '../actions/action-context.ts';
import { storeOf } from '../actions/store.ts';
import type { StoredOldCa } from '../adapters/store/records.ts';
import { type CaToken, type ExternalCa, externalCaWords } from '../domain/external-ca.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import { isEncrypted } from '../domain/pki/keys.ts';
import type { Secret } from '../domain/secret.ts';
import { noCa } from '../domain/trust/ca-refusals.ts';
import { dateWords, plural } from '../domain/words.ts';

export const command = defineCommand({
  scope: ['store'],
  examples: ['docker-tls ca show', 'docker-tls ca show --json'],
  args: {},
  options: {},
  run: async (context) => renderCa(await viewCa(context)),
});

type KeyState = 'encrypted' | 'not encrypted' | 'token' | 'external';
type Ca = ReturnType<typeof inspectCertificate> & { readonly key: KeyState };

type CaView = Ca & {
  /** The external CA that signs. */
  readonly external: ExternalCa | undefined;
  readonly token: CaToken | undefined;
  /** It issues no intermediate CAs for clients. */
  readonly leafOnly: boolean;
  /** Number of clients' issuing CAs below it. */
  readonly clientIssuers: number;
  /** Old CAs that are still trusted. */
  readonly old: readonly Ca[];
};

/** Fails with E_NO_CA (exit 2). */
async function viewCa(context: ActionContext): Promise<CaView> {
  const { ca, oldCas, issuers } = await storeOf(context).read();
  if (ca === undefined) throw noCa();
  const view = ({ cert, keyPem, record }: Omit<StoredOldCa, 'serial'>): Ca => {
    return { ...inspectCertificate(cert), key: record?.token === undefined ? keyState(keyPem) : 'token' };
  };
  const { external, token, leafOnly = false } = ca.record;
  return { ...view(ca), external, token, leafOnly, clientIssuers: issuers.size, old: oldCas.map(view) };
}

function keyState(key: Secret | undefined): KeyState {
  if (key === undefined) return 'external';
  return isEncrypted(key) ? 'encrypted' : 'not encrypted';
}

function renderCa({ key, old, external, token, leafOnly, clientIssuers, ...info }: CaView): CommandResult {
  const { subject, issuer, fingerprint, notBefore, notAfter, keyType } = info;
  const where =
    key === 'external'
      ? external === undefined
        ? 'external: nothing can be issued here'
        : `external; signs${leafOnly ? ' leaf certificates only' : ''} by: ${externalCaWords(external)}`
      : key === 'token'
        ? `in a token: ${token?.uri} (${keyType})`
        : `${key} (${keyType})`;
  const text = [
    `subject      ${subject}${info.selfIssued ? '' : ` (issued by ${issuer})`}`,
    `fingerprint  ${fingerprint}`,
    `valid        ${dateWords(notBefore)} to ${dateWords(notAfter)}`,
    `key          ${where}`,
    `clients      ${plural(clientIssuers, 'issuing CA', 'issuing CAs')} below it`,
    ...old.map((one) => `still trusted ${one.subject}, until ${dateWords(one.notAfter)}; key ${one.key}`),
  ].join('\n');
  const result = {
    ...{
      subject,
      issuer,
      intermediate: !info.selfIssued,
      fingerprint,
      notBefore,
      notAfter,
      keyType,
      key,
      clientIssuers,
    },
    token,
    external: external && withoutTrust(external),
    leafOnly: external && leafOnly,
    old: old.map(({ subject, fingerprint, notAfter, key }) => ({ subject, fingerprint, notAfter, key })),
  };
  return { exit: 0, result, text };
}

/** Omits certificates: they are not useful on a terminal. */
function withoutTrust(external: ExternalCa): object {
  const { trust: _, ...rest } = { trust: '', ...external };
  return rest;
}
