/** Identity of an audited host, and the hash of what it said: for evidence. */

import { createHash, createHmac } from 'node:crypto';
import type { Section } from '../../../core/domain/dockerd/sections.ts';
import { fingerprintOf } from '../../../core/domain/pki/ssh-wire.ts';

export type HostIdentity = {
  /**
   * HMAC-SHA-256 of `docker-tls audit` with the machine ID as key, since the ID itself should not leave the host (machine-id(5)); undefined
   * without one. On the host: `printf %s 'docker-tls audit' | openssl dgst -sha256 -hmac "$(cat /etc/machine-id)"`.
   */
  readonly machineId: string | undefined;
  /** Fingerprints of sshd's keys, as `ssh-keygen -l` prints them. */
  readonly hostKeys: readonly string[];
  /** SHA-256 of all facts: of each section its name, its length in bytes and its bytes. */
  readonly facts: string;
};

export function hostIdentity(sections: readonly Section[]): HostIdentity {
  const text = (name: string) => sections.find((section) => section.name === name)?.content.toString('utf8') ?? '';
  const id = text('machine-id').trim();
  const keys = text('host-keys').matchAll(/^(?:ssh|ecdsa)-\S+ ([A-Za-z0-9+/=]+)/gm);
  const hash = createHash('sha256');
  for (const { name, content } of sections) hash.update(`${name}\n${content.length}\n`).update(content);
  return {
    machineId: /^[0-9a-f]{32}$/.test(id)
      ? createHmac('sha256', id).update('docker-tls audit').digest('hex')
      : undefined,
    hostKeys: Array.from(keys, ([, blob = '']) => fingerprintOf(Buffer.from(blob, 'base64'))).sort(),
    facts: hash.digest('hex'),
  };
}
