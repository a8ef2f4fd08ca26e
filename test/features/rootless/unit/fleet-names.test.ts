/** A user's own Docker in a fleet file. */

import { expect, test } from 'vitest';
import { parseFleet } from '../../../../src/features/fleet/domain/fleet.ts';

test('one rootless Docker has one name in a fleet file; the Docker of the system is another daemon', () => {
  const own = '{ssh: {destination: x, user: own, rootless: true}}';
  const parse = (hosts: string) => () => parseFleet(`version: 1\nhosts: {${hosts}}\n`, 'f');
  expect(parse(`a: root@x, b: ${own}`)).not.toThrow();
  expect(parse(`a: root@x, b: ${own}, c: ${own}`)).toThrow(
    expect.objectContaining({
      errors: [expect.objectContaining({ code: 'E_FLEET', message: expect.toSay('one-host-two-names', 'c', 'b') })],
    }),
  );
});
