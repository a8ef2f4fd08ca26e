/** Rollback of hardening beyond files: modes, members, kernel settings, a firewall rule. The real script, as root. */

import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PARTS } from '../../../../src/core/domain/plan/change-parts.ts';
import type { FileChange } from '../../../../src/core/domain/plan/file-change.ts';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { AUDIT_PARTS } from '../../../../src/features/audit/engine/change-parts.ts';
import { factsOfTree, planOf, Sandbox, transactionOf } from '../../../support/host-sandbox.ts';

beforeAll(() => {
  PARTS.push(...AUDIT_PARTS);
});
afterAll(() => {
  PARTS.splice(-AUDIT_PARTS.length);
});

const FILE = 'etc/docker/key.json';
const SYSCTL = 'sys/net/ipv4/conf/all/log_martians';
const LOCALNET = (name: string) => `sys/net/ipv4/conf/${name}/route_localnet`;

test.skipIf(process.getuid?.() !== 0)(
  'modes, members, kernel settings and the rule for the loopback are changed, and come back',
  () => {
    const box = new Sandbox(['dash']);
    try {
      const at = (path: string) => join(box.directory, path);
      mkdirSync(join(at(SYSCTL), '..'), { recursive: true });
      writeFileSync(at(SYSCTL), '0\n');
      for (const name of ['default', 'docker0']) {
        mkdirSync(join(at(LOCALNET(name)), '..'), { recursive: true });
        writeFileSync(at(LOCALNET(name)), '0\n');
      }
      const rule = at('rule');
      box.stub(
        'iptables',
        `case " $* " in *' -C '*) test -e ${rule} ;; *' -I '*) : >${rule} ;; *' -D '*) rm ${rule} ;; esac`,
      );
      writeFileSync(at(FILE), '{}');
      // chown removes set-id bits.
      chmodSync(at(FILE), 0o4644);
      writeFileSync(at('etc/passwd'), 'root:x:0:0::/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n');
      writeFileSync(at('etc/group'), 'root:x:0:\ndocker:x:990:alice,bob\n');
      const look = () => [
        (statSync(at(FILE)).mode & 0o7777).toString(8),
        readFileSync(at('etc/group'), 'utf8').split('\n')[1],
        readFileSync(at(SYSCTL), 'utf8').trim(),
        readFileSync(at(LOCALNET('docker0')), 'utf8').trim(),
        existsSync(rule),
      ];
      const before = look();
      const changes: FileChange[] = [
        { kind: 'attributes', path: `/${FILE}`, mode: '0600', owner: '0:0', pending: true },
        { kind: 'member', path: 'docker:bob', mode: 'absent', owner: '-', pending: true },
        { kind: 'sysctl', path: 'net.ipv4.conf.all.log_martians', mode: '1', owner: '-', pending: true },
        { kind: 'loopback', path: 'net.ipv4.conf.*.route_localnet', mode: 'dropped', owner: '-', pending: true },
      ];
      const { script, input } = transactionOf(planOf(changes), factsOfTree(new Map()));
      const bytes = Buffer.concat(input.map((part) => (part instanceof Secret ? part.reveal() : part)));
      expect(box.run(script, bytes)).toContain('@result switched');
      // As dockerd without docker-proxy does.
      writeFileSync(at(LOCALNET('docker0')), '1\n');
      expect(look()).toEqual(['600', 'docker:x:990:alice', '1', '1', true]);
      box.run('exec dash /var/lib/docker-tls/txn/rollback.sh clean undo timer', Buffer.alloc(0));
      expect(look()).toEqual(before);
    } finally {
      box.remove();
    }
  },
);
