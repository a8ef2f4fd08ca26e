/** Partial import of hosts: a result with its errors, and a status that does not claim that nothing was touched. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { runCli } from '../../../support/cli.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

let home: string;
let machine: string;
const factory = new CertificateFactory();

beforeEach(() => {
  home = newHome();
  machine = join(dirname(home), 'machine');
});
afterAll(() => {
  removeHomes();
  factory.remove();
});

/** A machine in the format of docker-machine's store. */
function write(name: string, address: string): void {
  const ca = factory.issue('machine', { ca: true });
  const server = factory.issue('server', { by: ca, usage: 'serverAuth', san: 'IP:10.0.0.7' });
  mkdirSync(join(machine, 'machines', name), { recursive: true });
  const auth = { CaCertPath: ca.certFile, ServerCertPath: server.certFile, ServerKeyPath: server.keyFile };
  const record = {
    ConfigVersion: 3,
    Name: name,
    Driver: { IPAddress: address, SSHUser: 'root' },
    HostOptions: { AuthOptions: auth },
  };
  writeFileSync(join(machine, 'machines', name, 'config.json'), JSON.stringify(record));
}

const take = (...more: string[]) =>
  runCli(
    ['import', 'docker-machine', '--storage-path', machine, '--no-ca-passphrase', '--json', ...more, '--home', home],
    {
      env: { HOME: dirname(home) },
    },
  );

test('one of two: it is taken over, the other is named, and the status is 4', async () => {
  write('good', '10.0.0.7');
  write('bad', '10.0.0.7; reboot');
  const { exit, json } = await take();
  expect([exit, json.error?.code, json.result.hosts]).toEqual([4, 'E_DOCKER_MACHINE_DAMAGED', ['good']]);
  expect([...(await openStore(home).read()).hosts.keys()]).toEqual(['good']);
});

test('none: nothing was touched, and the status says so', async () => {
  write('bad', '');
  expect((await take()).exit).toBe(2);
  expect((await openStore(home).read()).hosts.size).toBe(0);
});
