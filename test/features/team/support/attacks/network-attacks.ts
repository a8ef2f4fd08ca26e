/** A man in the middle with a server of their own in the place of the store's. */

import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openTeamSession } from '../../../../../src/features/team/store/open-team-store.ts';
import type { Session } from '../../../../../src/features/team/store/session.ts';
import { CertificateFactory } from '../../../../support/certificate-factory.ts';
import { makeKey, startSshServer } from '../../../../support/ssh-server.ts';
import type { Attack } from './attack.ts';
import { reading } from './outcomes.ts';
import type { Scene } from './scene.ts';

const WHO = { who: 'man in the middle' } as const;

/** A computer that reads the store at an address of the attacker. */
function readerAt(scene: Scene, url: string): Session {
  const { env, home } = scene.member('bob');
  const options = { env, cwd: env.HOME ?? '/', who: 'bob@runner', now: () => new Date(), note() {} };
  return openTeamSession({ ...options, home: `${home}-${randomUUID()}`, url }) as Session;
}

/** What becomes of a reader who meets a TLS server with a certificate of the attacker's own CA; `told`: it heard what was asked. */
async function withOwnCertificate(scene: Scene, url: (port: number) => string): Promise<string> {
  const factory = new CertificateFactory();
  const { cert, key } = factory.issue('store', { san: 'IP:127.0.0.1', usage: 'serverAuth' });
  let told = false;
  const server = createServer({ cert, key }, (_, response) => {
    told = true;
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const became = await reading(readerAt(scene, url((server.address() as AddressInfo).port)));
    return told ? 'told' : became;
  } finally {
    server.close();
    factory.remove();
  }
}

/** The same with variables of the process for git. */
async function withVariables<T>(variables: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  try {
    return await work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

export const NETWORK_ATTACKS: readonly Attack[] = [
  {
    ...{ ...WHO, name: 'mitm-https', what: 'a certificate of their own CA for git over HTTPS' },
    ...{ expected: 'E_STORE_UNREACHABLE', engines: ['git'] },
    play: (scene) => withOwnCertificate(scene, (port) => `git+https://127.0.0.1:${port}/store.git`),
  },
  {
    ...{ ...WHO, name: 'mitm-etcd', what: 'a certificate of their own CA for etcd', expected: 'E_STORE_TLS' },
    engines: ['etcd'],
    play: (scene) => withOwnCertificate(scene, (port) => `etcd://127.0.0.1:${port}/docker-tls`),
  },
  {
    ...{ ...WHO, name: 'mitm-host-key', what: 'another SSH host key for git over SSH' },
    ...{ expected: 'E_STORE_UNREACHABLE', engines: ['git'] },
    async play(scene) {
      const server = await startSshServer();
      try {
        const known = join(scene.member('bob').env.HOME ?? '', 'known_hosts');
        writeFileSync(known, `[127.0.0.1]:${server.port} ${makeKey().publicKey}\n`);
        const ssh = `ssh -F /dev/null -o UserKnownHostsFile=${known} -o GlobalKnownHostsFile=/dev/null -o BatchMode=yes`;
        const url = `git+ssh://git@127.0.0.1:${server.port}/store.git`;
        const became = await withVariables({ GIT_SSH_COMMAND: ssh }, () => reading(readerAt(scene, url)));
        return server.seen.auth.length > 0 ? 'logged in' : became;
      } finally {
        await server.close();
      }
    },
  },
];
