/** Hints of the core that name the tunnel. */

import { expect, test } from 'vitest';
import { hintsFor } from '../../../../src/core/engine/verify-host.ts';
import { useCommands } from '../../../../src/core/render/next.ts';
import { DockerTlsError } from '../../../../src/errors/errors.ts';
import { wayQuestion } from '../../../../src/features/wizard/domain/questions.ts';

test('after a change, a host that only SSH reaches is used through a tunnel', () => {
  const runtime = { docker: 'docker', env: {} };
  expect(useCommands({ name: 'web', use: true, reach: 'ssh', listen: [] }, 'web', runtime, 'ci')).toEqual([
    'docker-tls client use ci',
    'docker-tls tunnel web -- docker ps',
    'docker-tls status',
  ]);
});

test('a port that does not answer: verification and the wizard offer a tunnel', () => {
  expect(hintsFor({ address: '10.0.0.1', port: 2376 }, 'timed-out')[0]).toMatch(/: docker-tls tunnel HOST$/);
  const problem = new DockerTlsError('E_PORT_FILTERED', 'no answer', {});
  const [through] = wayQuestion('web', 'gate', problem, undefined).choices;
  expect(through.name).toBe('through gate: docker-tls tunnel web');
});
