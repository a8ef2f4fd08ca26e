/** One golden --json document of each command of the tools. UPDATE_GOLDEN=1 writes them. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { documentPlace, expectGolden } from '../../../support/golden-documents.ts';
import { removeHomes } from '../../../support/store.ts';

const factory = new CertificateFactory();
afterAll(() => {
  removeHomes();
  factory.remove();
});

const directory = new URL('json/', import.meta.url);

test('butane', async () => {
  const place = await documentPlace();
  const made = await place.run(['butane', 'h1']);
  expect(made.json.command).toBe('butane');
  expectGolden(directory, made, {});
});

test('import docker-machine', async () => {
  const place = await documentPlace();
  const machine = join(place.directory, 'machine');
  const ca = factory.issue('machine', { ca: true });
  const server = factory.issue('server', { by: ca, usage: 'serverAuth', san: 'IP:10.0.0.7' });
  const auth = { CaCertPath: ca.certFile, ServerCertPath: server.certFile, ServerKeyPath: server.keyFile };
  mkdirSync(join(machine, 'machines', 'old'), { recursive: true });
  const driver = { IPAddress: '10.0.0.7', SSHUser: 'root' };
  const record = { ConfigVersion: 3, Name: 'old', Driver: driver, HostOptions: { AuthOptions: auth } };
  writeFileSync(join(machine, 'machines', 'old', 'config.json'), JSON.stringify(record));
  const made = await place.run(['import', 'docker-machine', '--storage-path', machine]);
  expect(made.json.command).toBe('import docker-machine');
  expectGolden(directory, made, {});
});

test('schedule', async () => {
  const place = await documentPlace();
  const made = await place.run(['schedule', '--form', 'cron']);
  expect(made.json.command).toBe('schedule');
  expectGolden(directory, made, { [process.execPath]: 'NODE', [process.argv[1] ?? '']: 'PROGRAM' });
});
