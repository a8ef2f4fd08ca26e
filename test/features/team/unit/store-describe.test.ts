/** What colleagues read of a change of a host's SSH key and place. */

import { expect, test } from 'vitest';
import type { StoredHost, StoreState } from '../../../../src/core/adapters/store/records.ts';
import { encryptKey } from '../../../../src/core/domain/pki/keys.ts';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { describeChange } from '../../../../src/features/team/store/describe.ts';
import { credential, sampleCa, sampleHost, sampleIssuer } from '../../../support/store.ts';

const KEYS = ['SHA256:aaaa', 'SHA256:bbbb'] as const;
const withSsh = (ssh: object): StoredHost => {
  const host = sampleHost('web', 1);
  return { ...host, record: { ...host.record, ssh: { ...host.record.ssh, ...ssh } } } as StoredHost;
};
const described = (before: object, after: object) => {
  const state: StoreState = {
    oldCas: [],
    issuers: new Map(),
    clients: new Map(),
    hosts: new Map([['web', withSsh(before) as never]]),
  };
  return describeChange(state, { hosts: { web: withSsh(after) } })[0];
};

test('a key that is recorded, replaced, or lost is named', () => {
  const [one, other] = KEYS;
  expect(described({ hostKey: undefined }, { hostKey: one })).toSay('host-ssh-host-key', 'web', '1');
  expect(described({ hostKey: one }, { hostKey: other })).toSay('ssh-host-key-bbbb');
  expect(described({ hostKey: one }, { hostKey: undefined })).toSay('no-ssh-host-key');
  expect(described({ hostKey: one }, { hostKey: 'strict' })).toSay('no-ssh-host-key');
  expect(described({ hostKey: one }, { hostKey: one })).toSay('host-record-changed-generation', 'web', '1');
});

test('another place of a host is named', () => {
  expect(described({}, { destination: 'other.example.org' })).toSay('record-changed-now');
});

test('another passphrase of the keys is named, for a CA without a key by those of its issuers', async () => {
  const [open, one, other] = [
    credential(1).key,
    await encryptKey(credential(1).key, new Secret('correct horse')),
    await encryptKey(credential(1).key, new Secret('battery staple')),
  ];
  type Key = Secret | undefined;
  const said = ([ca, issuer]: [Key, Key], [caAfter, issuerAfter]: [Key, Key]) => {
    const before = {
      ca: { ...sampleCa(1), keyPem: ca },
      issuers: new Map([['ci', { ...sampleIssuer(1), keyPem: issuer }]]),
    };
    const state = { ...before, oldCas: [], clients: new Map(), hosts: new Map() } as unknown as StoreState;
    const issuers = { ci: { ...sampleIssuer(1), keyPem: issuerAfter } } as never;
    return describeChange(state, { ca: { ...sampleCa(1), keyPem: caAfter }, issuers });
  };
  expect(said([one, open], [other, open])).toEqual([expect.toSay('another-passphrase', 'ca-1')]);
  expect(said([undefined, one], [undefined, other])).toEqual([expect.toSay('another-passphrase', 'ca-1')]);
  expect(said([one, one], [open, open])).toEqual([expect.toSay('another-passphrase', 'ca-1')]);
  // As read again: equal bytes in another object.
  expect(said([one, open], [new Secret(one.revealText()), open])).toEqual([expect.toSay('ca-changed', 'ca-1')]);
  expect(said([undefined, open], [one, open])).toEqual([expect.toSay('ca-changed', 'ca-1')]);
});
