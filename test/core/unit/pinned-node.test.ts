/** Node.js of the single executables, in the cache of the user: every use holds it against packaging/node.json. */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDirSync } from 'fs-extra/esm';
import { expect, test } from 'vitest';

const root = new URL('../../../', import.meta.url).pathname;
const { version, platforms } = JSON.parse(readFileSync(join(root, 'packaging/node.json'), 'utf8'));

test.each(Object.keys(platforms))('%s: a changed program or archive is not used', (platform) => {
  const cache = mkdtempSync(join(tmpdir(), 'docker-tls-cache-'));
  const kept = join(cache, 'docker-tls/node', version, platform);
  ensureDirSync(kept);
  // A sum that is in the cache as well counts for nothing.
  const sum = createHash('sha256').update('x').digest('hex');
  for (const [name, text] of Object.entries({ node: 'x', 'node.exe': 'x', archive: 'x', LICENSE: 'x', SHA256: sum }))
    writeFileSync(join(kept, name), text);
  try {
    const { status, stderr } = spawnSync('node', [join(root, 'scripts/single.d/node.mjs'), 'licence', platform], {
      env: { ...process.env, XDG_CACHE_HOME: cache },
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/has the SHA-256 \w{64}, packaging\/node\.json has/)]);
  } finally {
    rmSync(cache, { recursive: true });
  }
});
