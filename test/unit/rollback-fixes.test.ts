/** What a hardening changes beside files comes back with a rollback: modes, members of a group, kernel settings. The real script, as root. */

import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FileChange } from '../../src/domain/plan/file-change.ts';
import { Secret } from '../../src/domain/secret.ts';
import { factsOfTree, planOf, Sandbox, transactionOf } from '../support/host-sandbox.ts';

const FILE = 'etc/docker/key.json';
const SYSCTL = 'sys/net/ipv4/conf/all/log_martians';

test.skipIf(process.getuid?.() !== 0)('modes, memberships and kernel settings are changed, and come back', () => {
  const box = new Sandbox(['dash']);
  try {
    const at = (path: string) => join(box.directory, path);
    mkdirSync(join(at(SYSCTL), '..'), { recursive: true });
    writeFileSync(at(SYSCTL), '0\n');
    writeFileSync(at(FILE), '{}');
    chmodSync(at(FILE), 0o644);
    writeFileSync(at('etc/passwd'), 'root:x:0:0::/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n');
    writeFileSync(at('etc/group'), 'root:x:0:\ndocker:x:990:alice,bob\n');
    const look = () => [
      (statSync(at(FILE)).mode & 0o777).toString(8),
      readFileSync(at('etc/group'), 'utf8').split('\n')[1],
      readFileSync(at(SYSCTL), 'utf8').trim(),
    ];
    const before = look();
    const changes: FileChange[] = [
      { kind: 'attributes', path: `/${FILE}`, mode: '0600', owner: '0:0', pending: true },
      { kind: 'member', path: 'docker:bob', mode: 'absent', owner: '-', pending: true },
      { kind: 'sysctl', path: 'net.ipv4.conf.all.log_martians', mode: '1', owner: '-', pending: true },
    ];
    const { script, input } = transactionOf(planOf(changes), factsOfTree(new Map()));
    const bytes = Buffer.concat(input.map((part) => (part instanceof Secret ? part.reveal() : part)));
    expect(box.run(script, bytes)).toContain('@result switched');
    expect(look()).toEqual(['600', 'docker:x:990:alice', '1']);
    box.run('exec dash /var/lib/docker-tls/txn/rollback.sh clean undo timer', Buffer.alloc(0));
    expect(look()).toEqual(before);
  } finally {
    box.remove();
  }
});
