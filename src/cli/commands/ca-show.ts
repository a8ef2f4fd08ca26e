/** Owns `ca show`: the active CA and those that are still trusted beside it. */

import { type ExternalCa, externalCaWords } from '../../domain/external-ca.ts';
import { inspectCertificate } from '../../domain/pki/inspect.ts';
import { isEncrypted } from '../../domain/pki/keys.ts';
import type { Secret } from '../../domain/secret.ts';
import { dateWords, plural } from '../../domain/words.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';
import { storeOf } from '../store.ts';

export const command = defineCommand({
  name: 'ca show',
  withoutFleet: true,
  summary: 'The CA: name, fingerprint, validity, where its key is',
  examples: ['docker-tls ca show', 'docker-tls ca show --json'],
  args: {},
  options: {},
  async run({ global, runtime }) {
    const { ca, oldCas, issuers } = await storeOf({ global, runtime }).read();
    if (ca === undefined) throw noCa();
    const info = inspectCertificate(ca.cert);
    const key = keyState(ca.keyPem);
    const old = oldCas.map((one) => ({ ...inspectCertificate(one.cert), key: keyState(one.keyPem) }));
    const { external, leafOnly = false } = ca.record;
    const result = {
      subject: info.subject,
      issuer: info.issuer,
      intermediate: !info.selfIssued,
      fingerprint: info.fingerprint,
      notBefore: info.notBefore.toISOString(),
      notAfter: info.notAfter.toISOString(),
      keyType: info.keyType,
      key,
      ...(external === undefined ? {} : { external: withoutTrust(external), leafOnly }),
      clientIssuers: issuers.size,
      old: old.map(({ subject, fingerprint, notAfter, key: place }) => ({
        subject,
        fingerprint,
        notAfter: notAfter.toISOString(),
        key: place,
      })),
    };
    const where =
      key === 'external'
        ? external === undefined
          ? 'external: nothing can be issued here'
          : `external; signs${leafOnly ? ' leaf certificates only' : ''} by: ${externalCaWords(external)}`
        : `${key} (${info.keyType})`;
    const text = [
      `subject      ${info.subject}${info.selfIssued ? '' : ` (issued by ${info.issuer})`}`,
      `fingerprint  ${info.fingerprint}`,
      `valid        ${dateWords(info.notBefore)} to ${dateWords(info.notAfter)}`,
      `key          ${where}`,
      `clients      ${plural(issuers.size, 'issuing CA', 'issuing CAs')} below it`,
      ...old.map((one) => `still trusted ${one.subject}, until ${dateWords(one.notAfter)}; key ${one.key}`),
    ].join('\n');
    return { exit: 0, result, text };
  },
});

/** Certificates are no answer for people. */
function withoutTrust(external: ExternalCa): object {
  const { trust: _, ...rest } = { trust: '', ...external };
  return rest;
}

function keyState(key: Secret | undefined): 'encrypted' | 'not encrypted' | 'external' {
  if (key === undefined) return 'external';
  return isEncrypted(key) ? 'encrypted' : 'not encrypted';
}

export function noCa(): DockerTlsError {
  return new DockerTlsError({
    code: 'E_NO_CA',
    message: 'there is no CA in this store yet',
    hints: ['docker-tls ca create', 'docker-tls ca import --cert FILE --key FILE'],
  });
}
