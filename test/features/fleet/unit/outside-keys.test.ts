/** Clients in a fleet file whose key is on another computer. */

import '../../../../src/features/bundles/feature.ts';
import { afterAll, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { CLIENT_DEFAULTS } from '../../../../src/core/domain/settings.ts';
import { clientsInLine } from '../../../../src/features/fleet/domain/fleet-clients.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { keyElsewhere } from '../../../support/outside-clients.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

afterAll(removeHomes);

test('other days of a client whose key is on another computer count from a request that is made there', async () => {
  const home = newHome();
  await issueStore(home, { clients: { ada: undefined } });
  await keyElsewhere(home, 'ada');
  const spec = { ...CLIENT_DEFAULTS, name: 'ada', days: 60 };
  const { notes } = clientsInLine([spec], await openStore(home).read(), new Date());
  expect(notes).toEqual([expect.toSay('client-days-key-type-count', 'ada')]);
});
