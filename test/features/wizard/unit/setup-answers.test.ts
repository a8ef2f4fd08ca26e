/** Questions for the answers that no flag gave. */

import { expect, test } from 'vitest';
import { fleetKey, type Setting } from '../../../../src/core/domain/setting.ts';
import { completeHost, HOST_SETTINGS } from '../../../../src/core/domain/settings.ts';
import { wizard } from '../../../../src/features/wizard/actions/wizard.ts';

const ASKED = Object.entries<Setting>(HOST_SETTINGS).filter(([, { question }]) => question !== undefined);

/** Keys of the wizard's questions. */
async function asked(flags: Readonly<Record<string, unknown>>): Promise<(string | undefined)[]> {
  const keys: (string | undefined)[] = [];
  const spec = completeHost({ name: 'web', ssh: { destination: 'web.example' } });
  const context = {
    options: { noContext: true },
    flags: { name: 'web', ...flags },
    state: { hosts: new Map() },
    runtime: { cwd: '/nowhere', probe: async () => ({ kind: 'accepted' }) },
    prompts: {
      confirm: async () => false,
      input: async ({ key, default: proposed = '' }: { key?: string; default?: string }) => {
        keys.push(key);
        return proposed;
      },
    },
  };
  const opened = { session: { dialled: '10.0.0.1' }, facts: {}, proposed: () => [{ kind: 'ip', value: '10.0.0.1' }] };
  await wizard.edit(
    context as unknown as Parameters<typeof wizard.edit>[0],
    {
      spec,
      client: { name: 'me', requested: false },
      file: undefined,
      takeOver: false,
      rejectOthers: false,
    },
    opened as unknown as Parameters<typeof wizard.edit>[2],
  );
  return keys;
}

test('the wizard asks every question of the table of settings, in its order', async () => {
  expect(ASKED.length).toBeGreaterThan(1);
  expect(await asked({})).toEqual([...ASKED.map(([field, setting]) => fleetKey(field, setting)), 'clients']);
});

test.each(ASKED.map(([field]) => field))('%s is not asked where its flag is given', async (field) => {
  const others = ASKED.filter(([one]) => one !== field).map(([one, setting]) => fleetKey(one, setting));
  expect(await asked({ [field]: field === 'sans' ? [] : 'given' })).toEqual([...others, 'clients']);
});
