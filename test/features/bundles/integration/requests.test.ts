/** Pending certificate requests in a store. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readRequests } from '../../../../src/features/bundles/adapters/requests.ts';

test('E_REQUEST_DAMAGED: a request without its key', () => {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-requests-'));
  try {
    mkdirSync(join(directory, 'requests/ann'), { recursive: true });
    expect(() => readRequests(directory)).toThrow(expect.objectContaining({ code: 'E_REQUEST_DAMAGED', exit: 2 }));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
