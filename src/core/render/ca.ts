/** The CAs of a store, as text and JSON. */

import type { CommandResult } from '../../cli/command.ts';
import type { ImportedCa } from '../actions/ca-import.ts';
import type { CaView } from '../actions/ca-show.ts';
import { type ExternalCa, externalCaWords } from '../domain/external-ca.ts';
import { dateWords, plural } from '../domain/words.ts';
import type { Around } from './change.ts';

export function renderCa({ key, old, external, token, leafOnly, clientIssuers, ...info }: CaView): CommandResult {
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

const ISSUES: Readonly<Record<ImportedCa['issues'], string>> = {
  key: 'this store issues with its key',
  token: 'this store issues with its key in the token',
  signer: 'signs on request',
  'leaf-only': 'signs leaf certificates only: its clients cannot be revoked one by one',
  external: 'its key is external: nothing can be issued here',
};

export function renderImportedCa({ notAfter, ...ca }: ImportedCa, { global }: Around): CommandResult {
  const { subject, fingerprint, issues, signer, warnings } = ca;
  const lines = [fingerprint, ...warnings.map((warning) => `warning: ${warning}`)];
  return {
    exit: 0,
    result: { subject, fingerprint, notAfter, issues, warnings, dryRun: global.dryRun },
    text: `CA ${subject}, until ${dateWords(notAfter)}: ${[signer, ISSUES[issues]].filter(Boolean).join(' ')}\n${lines.join('\n')}`,
  };
}
