/** The commands of a shared store among those of the core. */

import { expect, test } from 'vitest';
import { findCommand } from '../../../../src/cli/commands.ts';

test('a word that several groups have names them all', () => {
  const nearest = expect.arrayContaining(['status', 'client list', 'operator list']);
  expect(findCommand(['list'])).toEqual({ kind: 'unknown', nearest });
});
