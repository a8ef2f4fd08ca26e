/** What colleagues read of a change of a host's SSH key and place. */

import { expect, test } from 'vitest';
import type { StoredHost, StoreState } from '../../../../src/core/adapters/store/records.ts';
import { describeChange } from '../../../../src/features/team/store/describe.ts';
import { sampleHost } from '../../../support/store.ts';

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
