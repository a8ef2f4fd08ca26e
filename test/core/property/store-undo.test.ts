import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { StoreChange } from '../../../src/core/adapters/store/records.ts';
import { openStore } from '../../../src/core/adapters/store/store.ts';
import {
  newHome,
  picture,
  removeHomes,
  revealed,
  sampleCa,
  sampleClient,
  sampleHost,
  sampleIssuer,
} from '../../support/store.ts';

afterAll(removeHomes);

const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'anna@laptop'), { maxLength: 3 });
const which = fc.nat({ max: 5 });
function named<T>(make: (name: string, which: number) => T): fc.Arbitrary<Record<string, T>> {
  return fc
    .tuple(names, which)
    .map(([each, number]) => Object.fromEntries(each.map((name) => [name, make(name, number)])));
}

const change: fc.Arbitrary<StoreChange> = fc.record(
  {
    ca: fc
      .tuple(which, fc.boolean())
      .map(([number, key]) => (key ? sampleCa(number) : { ...sampleCa(number), keyPem: undefined })),
    retireCa: fc.boolean(),
    issuers: named((_name, number) => sampleIssuer(number)),
    hosts: named(sampleHost),
    clients: named(sampleClient),
    removeHosts: names,
    removeClients: names,
    removeIssuers: names,
  },
  { requiredKeys: [] },
);

test('changes, and then all of them undone, leave every byte and mode as it was', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.option(change, { nil: undefined }),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      async (before, changes) => {
        const store = openStore(newHome());
        if (before !== undefined) await store.withLock('test', () => store.write(before));
        const existed = await store.exists();
        const start = existed ? picture(store.home) : undefined;
        await store.withLock('test', async () => {
          const states: unknown[] = [revealed(await store.read())];
          const tokens = [];
          for (const each of changes) {
            tokens.push(await store.write(each));
            states.push(revealed(await store.read()));
          }
          for (const token of tokens.reverse()) {
            states.pop();
            await token.undo();
            expect(revealed(await store.read())).toEqual(states.at(-1));
          }
        });
        if (start === undefined) expect(() => picture(store.home)).toThrow('ENOENT');
        else expect(picture(store.home)).toEqual(start);
      },
    ),
    { numRuns: 60 },
  );
});

test('what is read is what the changes say, whatever came before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), async (changes) => {
      const store = openStore(newHome());
      const hosts = new Map<string, unknown>();
      const clients = new Map<string, unknown>();
      for (const each of changes) {
        await store.withLock('test', () => store.write(each));
        for (const name of each.removeHosts ?? []) hosts.delete(name);
        for (const name of each.removeClients ?? []) clients.delete(name);
        for (const [name, host] of Object.entries(each.hosts ?? {})) hosts.set(name, revealed(host as never));
        for (const [name, client] of Object.entries(each.clients ?? {}))
          clients.set(name, { ...(revealed(client as never) as object), directory: expect.any(String) });
      }
      const state = revealed(await store.read()) as { hosts: object; clients: object };
      expect(state.hosts).toEqual(Object.fromEntries(hosts));
      expect(state.clients).toEqual(Object.fromEntries(clients));
    }),
    { numRuns: 40 },
  );
});
