/** Consent to a shared store's settings that make this machine run or send something: once per value, on this machine. */

import { DockerTlsError, printable } from '../../errors/errors.ts';
import type { CaSigner } from '../domain/external-ca.ts';
import { type StoreSettings, storeSettings } from '../domain/store-settings.ts';
import type { Run } from '../engine/intent.ts';
import type { ActionContext } from './action-context.ts';
import { agree } from './ask.ts';
import { storeOf } from './open-store.ts';

/** Asks about each setting once per run. Fails with E_STORE_SETTINGS (exit 2) without a terminal: --yes is not an answer. */
export function approving(context: ActionContext): Run['approve'] {
  const asked = new Map<string, Promise<void>>();
  return async (signer: CaSigner) => {
    const settings = storeSettings(signer);
    if (settings === undefined) return;
    const answer = asked.get(settings.id) ?? approve(settings, context);
    asked.set(settings.id, answer);
    await answer;
  };
}

async function approve({ id, values }: StoreSettings, context: ActionContext): Promise<void> {
  const { global, prompts } = context;
  const store = storeOf(context);
  if (global.trustStoreSettings.includes(id) || (await store.accepts(id))) return;
  const lines = values.map(([name, value]) => `${name} ${printable(value)}`);
  if (!prompts.interactive)
    throw new DockerTlsError(
      'E_STORE_SETTINGS',
      'the settings of the shared store make this computer run or send something to get a signature, and they were not accepted on this computer',
      {
        details: lines,
        hints: [
          'run the same command on a terminal, without --yes: it asks once',
          `in a job, if these values are right: --trust-store-settings ${id}`,
        ],
      },
    );
  const what = 'The shared store, and not you, sets how its CA signs. For that, this computer';
  await prompts.show(`\n${[what, ...lines].join('\n  ')}\n\n`);
  await agree(prompts, 'Accept this on this computer, until it changes?');
  await store.accept(id);
}
