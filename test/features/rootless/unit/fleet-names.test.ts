/** A user's own Docker in a fleet file. */

import { expect, test } from 'vitest';
import { DockerTlsErrors } from '../../../../src/errors/errors.ts';
import { parseFleet } from '../../../../src/features/fleet/domain/fleet.ts';

test('one rootless Docker has one name in a fleet file; the Docker of the system is another daemon', () => {
  const own = '{ssh: {destination: x, user: own, rootless: true}}';
  const parse = (hosts: string) => () => parseFleet(`version: 1\nhosts: {${hosts}}\n`, 'f');
  expect(parse(`a: root@x, b: ${own}`)).not.toThrow();
  expect(parse(`a: root@x, b: ${own}, c: ${own}`)).toThrow(DockerTlsErrors);
});
