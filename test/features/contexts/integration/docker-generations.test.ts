/** Contexts of ours and the docker CLI of each generation. Needs the lab (scripts/lab). */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { writeContext } from '../../../../src/features/contexts/adapters/contexts.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { type LabHost, labUp, suites } from '../../../support/lab.ts';

const factory = new CertificateFactory();
const ca = factory.issue('lab CA', { ca: true });
const client = factory.issue('laptop', { by: ca, usage: 'clientAuth' });
const home = mkdtempSync(join(tmpdir(), 'docker-tls-lab-contexts-'));
afterAll(() => {
  factory.remove();
  rmSync(home, { recursive: true, force: true });
});

test.each(suites)('the docker CLI of %s keeps our mark on a context when it updates it', async (suite) => {
  const [there] = (await labUp({ names: [`dk-context-${suite}`], suite })) as [LabHost];
  const dockerConfig = join(home, `${suite}-mark`);
  const host = `tcp://${there.address}:2376`;
  const context = { name: 'marked', dockerConfig, host, ca: ca.cert, cert: client.cert, key: new Secret(client.key) };
  await writeContext(context);
  const archive = execFileSync('tar', ['-c', '-C', dockerConfig, '.']).toString('base64');
  const script = `rm -rf /root/.docker-mark && mkdir /root/.docker-mark && cd /root/.docker-mark && base64 -d | tar -x
    docker --config . context update marked --description new >&2; docker --config . context inspect marked`;
  const { out } = await there.exec(script, { input: archive });
  const [inspected] = JSON.parse(out);
  expect(inspected.Metadata).toMatchObject({ Description: 'new', DockerTls: { Schema: 1 } });
  expect(inspected.TLSMaterial).toEqual({ docker: ['ca.pem', 'cert.pem', 'key.pem'] });
  await there.down();
});
