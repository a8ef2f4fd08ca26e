/** Data that leaves a host, and its comparisons before a change. The real scripts, as root, in a private namespace. */

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseFacts } from '../../../src/core/domain/plan/facts.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import { factsScript } from '../../../src/core/engine/loaded-kinds.ts';
import { change, factsOfTree, planOf, Sandbox, transactionOf } from '../../support/host-sandbox.ts';

const byRoot = test.skipIf(process.getuid?.() !== 0);

byRoot('facts carry the certificates of a host, and never its private key', async () => {
  const box = new Sandbox(['dash']);
  try {
    const directory = join(box.directory, 'etc/docker/tls/1');
    mkdirSync(directory, { recursive: true });
    symlinkSync('1', join(directory, '../current'));
    for (const name of ['ca.pem', 'server-cert.pem', 'server-key.pem'])
      writeFileSync(join(directory, name), `content of ${name}\n`, { mode: 0o400 });
    const printed = box.run(`MORE_PATHS=\n${await factsScript()}`, Buffer.alloc(0));
    expect(printed).toContain('content of server-cert.pem');
    expect(printed).not.toContain('content of server-key.pem');
    expect(parseFacts(Buffer.from(printed)).serverKey).toBe('400 0:0');
  } finally {
    box.remove();
  }
});

byRoot.each([
  ['as the plan has seen them', '{}', 'switched'],
  ['that another run has changed meanwhile', '{ "generation": 7 }', 'changed'],
])('records of the host %s', (_, now, result) => {
  const box = new Sandbox(['dash']);
  try {
    const path = '/var/lib/docker-tls/state.json';
    mkdirSync(join(box.directory, 'var/docker-tls'));
    writeFileSync(join(box.directory, 'var/docker-tls/state.json'), now);
    const facts = factsOfTree(new Map());
    const seen = {
      ...facts,
      files: new Map([...facts.files, [path, { kind: 'file', mode: '600', owner: '0:0', content: '{}' }]]),
    };
    const file = change('/etc/default/docker', { kind: 'file', mode: 0o644, uid: 0, content: 'x' });
    const { script, input } = transactionOf(planOf([file]), seen as typeof facts);
    const bytes = Buffer.concat(input.map((part) => (part instanceof Secret ? part.reveal() : part)));
    expect(box.run(script, bytes)).toContain(`@result ${result}`);
  } finally {
    box.remove();
  }
});
