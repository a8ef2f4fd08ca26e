/** Consent to a shared store's settings that make this machine run or send something: once per value, on this machine. */

import type { ActionContext } from '../../../core/actions/action-context.ts';
import { agree } from '../../../core/actions/ask.ts';
import { storeOf } from '../../../core/actions/open-store.ts';
import { destinationWords } from '../../../core/domain/destination.ts';
import { type StoreSettings, storeSettings } from '../../../core/domain/store-settings.ts';
import type { StoreConsent } from '../../../core/seams/stores.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { jumpSettings, placeSettings } from '../store/ways.ts';

/** Asks about each value once per run. */
export function consentOf(context: ActionContext): StoreConsent {
  const asked = new Map<string, Promise<void>>();
  const approve = ({ id, values }: StoreSettings, subject: Subject): Promise<void> => {
    const answer = asked.get(id) ?? ask({ id, values }, subject, context);
    asked.set(id, answer);
    return answer;
  };
  const way: StoreConsent['way'] = async (options) => {
    const { host, user, rootless, sudoPassword, placeFromStore: { place, last } = {} } = options;
    const sent = sudoPassword !== undefined && user !== 'root' && !rootless;
    if (place !== undefined && place !== last && (last !== undefined || sent))
      await approve(placeSettings(place), movesTo(host, last));
    const settings = options.jumpFromStore && jumpSettings(options);
    if (settings) await approve(settings, logsIn(host));
  };
  return {
    way,
    async signer(signer) {
      const settings = storeSettings(signer);
      if (settings !== undefined) await approve(settings, SIGNS);
    },
    async connect(options) {
      await way(options);
      const session = await context.runtime.connect(options);
      await storeOf(context).loggedIn(options.host, options.placeFromStore?.place ?? destinationWords(options));
      return session;
    },
  };
}

type Subject = { readonly fails: string; readonly asks: string };

const SIGNS: Subject = {
  fails: 'make this computer run or send something to get a signature',
  asks: 'sets how its CA signs',
};
const logsIn = (host: string): Subject => ({
  fails: `make this computer log in to jump hosts on the way to ${host}`,
  asks: `sets the way to ${host}`,
});
const movesTo = (host: string, last: string | undefined): Subject => ({
  fails: `make this computer log in for ${host} at a place that you did not name${lastWords(last)}`,
  asks: `sets where ${host} is${lastWords(last)}`,
});
const lastWords = (last: string | undefined) => (last === undefined ? '' : ` (the last time it was ${last})`);

async function ask({ id, values }: StoreSettings, { fails, asks }: Subject, context: ActionContext): Promise<void> {
  const { global, prompts } = context;
  const store = storeOf(context);
  if (global.trustStoreSettings.includes(id) || (await store.accepts(id))) return;
  const lines = values.map(([name, value]) => `${name} ${printable(value)}`);
  if (!prompts.interactive)
    throw new DockerTlsError(
      'E_STORE_SETTINGS',
      `the settings of the shared store ${fails}, and they were not accepted on this computer`,
      {
        details: lines,
        hints: [
          'run the same command on a terminal, without --yes: it asks once',
          `in a job, if these values are right: --trust-store-settings ${id}`,
        ],
      },
    );
  const what = `The shared store, and not you, ${asks}. For that, this computer`;
  await prompts.show(`\n${[what, ...lines].join('\n  ')}\n\n`);
  await agree(prompts, 'Accept this on this computer, until it changes?');
  await store.accept(id);
}
