/** The help of `ca import`: an option names its pages by key, which no type checks. */

import { expect, test } from 'vitest';
import { command } from '../../../../src/features/issuers/commands/ca-import.ts';
import { ISSUER_TOPICS } from '../../../../src/features/issuers/help-topics.ts';

test('every page that an option belongs to exists, and every page has an option', () => {
  const options: Readonly<Record<string, { readonly topics?: readonly string[] }>> = command.options;
  const named = new Set(Object.values(options).flatMap(({ topics = [] }) => topics));
  expect([...named].toSorted()).toEqual(Object.keys(ISSUER_TOPICS).toSorted());
});
