/** What golden cases of fleet files and inventories share. */

import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { DockerTlsErrors } from '../../../../src/errors/errors.ts';

/** A file of golden/config. */
export function goldenConfig(name: string): string {
  return readFileSync(new URL(`../golden/config/${name}`, import.meta.url), 'utf8');
}

/** The errors of a text, as `line:column message | hints`. */
export function complaints(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (!(error instanceof DockerTlsErrors)) throw error;
    return error.errors.map((one) => {
      expect(one.exit).toBe(2);
      return [`${one.where} ${one.message}`, ...one.hints].join(' | ');
    });
  }
  throw new Error('nothing was wrong');
}

/** Defaults of a host's settings. */
export const HOST_BASE = {
  port: 2376,
  reach: 'direct',
  listen: [],
  sans: [],
  keyType: 'p256',
  containers: 'keep',
  keys: 'store',
  keep: 5,
  confirmWithin: 90,
};
