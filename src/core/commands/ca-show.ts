/** `ca show`: the active CA, and old CAs that are still trusted. */

import { defineCommand } from '../../cli/command.ts';
import { storeOf } from '../actions/store.ts';
import type { StoredOldCa } from '../adapters/store/records.ts';
import { type ExternalCa, externalCaWords } from '../domain/external-ca.ts';
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
  /** Fails with E_NO_CA (exit 2). */
  async run(context) {
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
      token,
      external: external && withoutTrust(external),
      leafOnly: external && leafOnly,
      old: old.map(({ subject, fingerprint, notAfter, key }) => ({ subject, fingerprint, notAfter, key })),
    };
    return { exit: 0, result, text };
  },
});

function viewOf({ cert, keyPem, record }: Omit<StoredOldCa, 'serial'>) {
  return { ...inspectCertificate(cert), key: record?.token === undefined ? keyState(keyPem) : 'token' };
}

function keyState(key: Secret | undefined): 'encrypted' | 'not encrypted' | 'external' {
  if (key === undefined) return 'external';
  return isEncrypted(key) ? 'encrypted' : 'not encrypted';
}

/** Omits certificates: they are not useful on a terminal. */
function withoutTrust(external: ExternalCa): object {
  const { trust: _, ...rest } = { trust: '', ...external };
  return rest;
}
