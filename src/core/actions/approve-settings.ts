/** Consent to a shared store's settings that make this machine run or send something: once per value, on this machine. */

import { DockerTlsError, printable } from '../../errors/errors.ts';
import { destinationWords } from '../domain/destination.ts';
import { type CaSigner, externalCaWords } from '../domain/external-ca.ts';
import { jumpSettings, placeSettings, type StoreSettings, storeSettings } from '../domain/store-settings.ts';
import { credentialUnnamed } from '../domain/trust/ca-refusals.ts';
import type { Run } from '../engine/intent.ts';
import type { Connect, SshOptions } from '../runtime.ts';
import type { ActionContext } from './action-context.ts';
import { agree } from './ask.ts';
import { storeOf } from './open-store.ts';

/** Asks about each setting once per run. Fails with E_STORE_SETTINGS (exit 2) without a terminal: --yes is not an answer. */
export function approving(context: ActionContext): Run['approve'] {
  const approve = oncePerRun(context);
  return async (signer: CaSigner) => {
    const settings = storeSettings(signer);
    if (settings !== undefined) await approve(settings, SIGNS);
  };
}

/** The same for a signer that is used now. Fails with E_SECRET_FILE (exit 2), before it asks, if its credential is not named here. */
export function approvingUse(context: ActionContext): Run['approve'] {
  const approve = approving(context);
  return async (signer) => {
    const { external } = signer;
    if (external !== undefined && external.kind !== 'command' && external.credentialFile === undefined)
      throw credentialUnnamed(externalCaWords(external));
    await approve(signer);
  };
}

/**
 * Asks about jump hosts that a shared store names, before the first login to them, and about a host that is no longer where this computer
 * logged in last: it may be a colleague's machine, which gets the sudo password. Of a host without any login only that password matters.
 */
export function approvingWays(context: ActionContext): (options: Way) => Promise<void> {
  const approve = oncePerRun(context);
  return async (options) => {
    const { host, user, rootless, sudoPassword, placeFromStore: { place, last } = {} } = options;
    const sent = sudoPassword !== undefined && user !== 'root' && !rootless;
    if (place !== undefined && place !== last && (last !== undefined || sent))
      await approve(placeSettings(place), movesTo(host, last));
    const settings = options.jumpFromStore && jumpSettings(options);
    if (settings) await approve(settings, logsIn(host));
  };
}

/** Connections of a run, each after the consent to its way; the store remembers each place. */
export function approvedWays(context: ActionContext): Connect {
  const approve = approvingWays(context);
  const { connect } = context.runtime;
  return async (options) => {
    await approve(options);
    const session = await connect(options);
    await storeOf(context).loggedIn(options.host, options.placeFromStore?.place ?? destinationWords(options));
    return session;
  };
}

type Way = Pick<
  SshOptions,
  'host' | 'user' | 'rootless' | 'sudoPassword' | 'jump' | 'jumpFromStore' | 'placeFromStore'
>;

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

function oncePerRun(context: ActionContext): (settings: StoreSettings, subject: Subject) => Promise<void> {
  const asked = new Map<string, Promise<void>>();
  return (settings, subject) => {
    const answer = asked.get(settings.id) ?? approve(settings, subject, context);
    asked.set(settings.id, answer);
    return answer;
  };
}

async function approve({ id, values }: StoreSettings, { fails, asks }: Subject, context: ActionContext): Promise<void> {
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
