/** Requests where another CA signs. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { splitCommand } from '../../../../src/features/issuers/adapters/sign-command.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { runUnreached } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { writeSignScript } from '../../../support/sign-script.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

let home: string;
let directory: string;
const factory = new CertificateFactory();

const at = (place: string, ...argv: string[]) => runUnreached({ home: place, directory }, argv, () => {});
const run = (...argv: string[]) => at(home, ...argv);

/** A store whose CA signs leaf certificates only, and a request. */
beforeEach(async () => {
  home = newHome();
  directory = dirname(home);
  const ca = factory.issue('company', { ca: true });
  const script = writeSignScript(join(directory, 'sign'), ca);
  expect(splitCommand(script)).toEqual([script]);
  await run('ca', 'import', '--cert', ca.certFile, '--leaf-only', '--sign-command', script);
  await issueStore(home, { hosts: { 'build-1': {}, 'build-2': {} }, clients: { laptop: undefined } });
  await at(newHome(), 'client', 'request', 'ann', '--out', join(directory, 'ann.csr'));
});
afterAll(() => {
  removeHomes();
  factory.remove();
});

test('a request is not signed for some hosts by a CA that signs leaf certificates only', async () => {
  const { exit, json } = await run('client', 'sign', 'ann.csr', '--hosts', 'build-1', '--out', 'ann.tar', '--yes');
  expect([exit, json.error?.code]).toEqual([2, 'E_CA_LEAF_ONLY']);
  expect(existsSync(join(directory, 'ann.tar'))).toBe(false);
  expect((await openStore(home).read()).clients.has('ann')).toBe(false);
});

test('it is signed for all of them, and under no other name: the CA certifies that in the request', async () => {
  const renamed = await run('client', 'sign', 'ann.csr', '--name', 'bea', '--out', 'bea.tar');
  expect([renamed.exit, renamed.json.error?.code]).toEqual([2, 'E_NAME']);
  const signed = await run('client', 'sign', 'ann.csr', '--out', 'ann.tar');
  expect(signed.json.result).toMatchObject({ client: 'ann', hosts: ['build-1', 'build-2'] });
});
