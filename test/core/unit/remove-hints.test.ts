/** Hints for the host after a failed removal. */

import { expect, test } from 'vitest';
import { offeringForget } from '../../../src/core/commands/remove.ts';
import { DockerTlsError } from '../../../src/errors/errors.ts';

test('forget is for a host that does not answer, and not for one that has rolled back', () => {
  const hints = (error: DockerTlsError) => offeringForget(error, new Set(['web'])).hints.join('\n');
  const refused = new DockerTlsError('E_SSH_REFUSED', 'nothing listens on web:22', { where: 'web' });
  expect(hints(refused)).toContain('docker-tls forget web');
  expect(hints(refused.afterRollback())).toBe('');
});
