import { afterAll, describe, expect, test } from 'vitest';
import type { StoreChange } from '../../../../src/core/adapters/store/records.ts';
import {
  credential,
  removeHomes,
  revealed,
  sampleCa,
  sampleClient,
  sampleHost,
  sampleIssuer,
} from '../../../support/store.ts';
import { ENGINES, stopEngines } from '../support/store-engines.ts';

afterAll(async () => {
  await stopEngines();
  removeHomes();
});

const everything: StoreChange = {
  ca: sampleCa(0),
  oldCas: [{ cert: credential(2).cert }],
  issuers: { anna: sampleIssuer(1) },
  hosts: { web: sampleHost('web', 0), 'db.1': { ...sampleHost('db.1', 1), serverKey: undefined } },
  clients: { anna: sampleClient('anna', 0), bob: { ...sampleClient('bob', 1), key: undefined } },
};

/** Requirements for every engine, whatever is behind it. */
describe.each(ENGINES)('a store in $name', ({ place }) => {
  test('is empty until something is written, and then whole for every other run', async () => {
    const { open } = await place();
    const [ada, bob] = [await open('ada'), await open('bob')];
    expect(await ada.read()).toEqual({ oldCas: [], issuers: new Map(), hosts: new Map(), clients: new Map() });
    await ada.requireWritable();
    await ada.withLock('test', () => ada.write(everything));
    expect([await ada.exists(), await bob.exists()]).toEqual([true, true]);
    const seen = await bob.read();
    expect(revealed({ ...seen, clients: new Map() })).toEqual({
      ca: revealed(sampleCa(0) as never),
      oldCas: [{ serial: expect.stringMatching(/^[0-9A-F]{40}$/), cert: credential(2).cert }],
      issuers: { anna: revealed(sampleIssuer(1) as never) },
      hosts: {
        web: expect.objectContaining({ ca: sampleHost('web', 0).ca, serverKey: credential(0).key.revealText() }),
        'db.1': expect.objectContaining({ serverCert: credential(1).cert }),
      },
      clients: {},
    });
    expect(seen.hosts.get('db.1')?.serverKey).toBeUndefined();
    expect(seen.hosts.get('web')?.record).toMatchObject({ generation: 0, address: 'web.example' });
    expect(seen.clients.get('anna')?.key?.revealText()).toBe(credential(1).key.revealText());
    expect(seen.clients.get('anna')?.directory).toMatch(/clients.anna$/);
    expect([...(await bob.read({ hosts: ['web'] })).hosts.keys()]).toEqual(['web']);
  });

  test('replaces whole, removes and retires in one step', async () => {
    const { open } = await place();
    const store = await open('ada');
    await store.withLock('test', () => store.write(everything));
    const { oldCas } = await store.read();
    await store.withLock('test', () =>
      store.write({
        ca: { ...sampleCa(1), keyPem: undefined },
        retireCa: true,
        hosts: { web: { ...sampleHost('web', 2), serverKey: undefined } },
        removeHosts: ['db.1', 'never-there'],
        removeClients: ['bob'],
        removeIssuers: ['anna'],
        removeOldCas: oldCas.map(({ serial }) => serial),
      }),
    );
    const state = await (await open('bob')).read();
    expect(state.ca).toEqual({ ...sampleCa(1), keyPem: undefined });
    expect(state.oldCas.map(({ cert, keyPem }) => [cert, keyPem?.revealText()])).toEqual([
      [sampleCa(0).cert, sampleCa(0).keyPem?.revealText()],
    ]);
    expect([[...state.hosts.keys()], [...state.clients.keys()], state.issuers.size]).toEqual([['web'], ['anna'], 0]);
    expect(state.hosts.get('web')?.serverKey).toBeUndefined();
  });

  test('is as it was after a change that was refused, one that threw, and one that was undone', async () => {
    const { open } = await place();
    const store = await open('ada');
    await store.withLock('test', () => store.write(everything));
    const before = revealed(await store.read());
    const refused = store.withLock('test', () =>
      store.write({ clients: { new: sampleClient('new', 1) }, hosts: { WEB: sampleHost('WEB', 0) } }),
    );
    await expect(refused).rejects.toMatchObject({ code: 'E_NAME' });
    const threw = store.withLock('test', async () => {
      throw new Error('stop');
    });
    await expect(threw).rejects.toThrow('stop');
    await store.withLock('test', async () => {
      const written = await store.write({ hosts: { web: sampleHost('web', 3) }, removeClients: ['anna'] });
      expect((await store.read()).clients.has('anna')).toBe(false);
      await written.undo();
    });
    await expect(store.write(everything)).rejects.toThrow('inside withLock');
    expect(revealed(await (await open('ada')).read())).toEqual(before);
  });

  test('loses nothing of six writers with five changes each, that each count on what they have read', async () => {
    const { open } = await place();
    const first = await open('ada');
    await first.withLock('test', () => first.write({ hosts: { counter: sampleHost('counter', 0) } }));
    async function writer(which: number): Promise<void> {
      const store = await open(`writer-${which}`);
      for (let turn = 0; turn < 5; turn++) {
        await store.withLock('test', async () => {
          const count = (await store.read()).hosts.get('counter')?.record.generation ?? 0;
          const name = `host-${which}-${turn}`;
          await store.write({
            hosts: { counter: sampleHost('counter', count + 1), [name]: sampleHost(name, which) },
          });
        });
      }
    }
    await Promise.all([1, 2, 3, 4, 5, 6].map(writer));
    const { hosts } = await (await open('bob')).read();
    expect(hosts.get('counter')?.record.generation).toBe(30);
    expect(hosts.size).toBe(31);
  }, 300_000);

  test('takes parallel changes of one run, and calls within a change join it', async () => {
    const { open } = await place();
    const store = await open('ada');
    const names = Array.from({ length: 8 }, (_, index) => `host-${index}`);
    await Promise.all(
      names.map((name, index) =>
        store.withLock('outer', () =>
          store.withLock('inner', () => store.write({ hosts: { [name]: sampleHost(name, index) } })),
        ),
      ),
    );
    expect([...(await (await open('bob')).read()).hosts.keys()].sort()).toEqual(names.sort());
  });
});
