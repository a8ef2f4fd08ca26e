/** The script of a rollback as a file, for tests that read its functions into a shell of their own. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { rollbackScript as renderScript } from '../../src/host/scripts.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-script-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

export const rollbackScript = join(directory, 'rollback.sh');
writeFileSync(rollbackScript, renderScript('systemd'));
