/** `rotate client`: new keys and certificates for clients; changes no host. */

import { inspectCertificate } from '../domain/pki/inspect.ts';
import { renewed } from '../domain/trust/clients.ts';
import { type OutdatedCopy, outdatedCopies } from '../domain/trust/handed-out.ts';
import { resolveNames } from '../domain/trust/renewals.ts';
import { change } from '../engine/change.ts';
import type { CopiesOutcome } from '../runtime.ts';
import type { ActionContext } from './action-context.ts';
import type { Changed } from './results.ts';
import type { DueOptions } from './rotate-server.ts';
import { openStoredRun, type RunOptions } from './run.ts';

export type Renewed = {
  readonly name: string;
  /** Expiry of the old certificate and of the new one. */
  readonly before: Date;
  readonly after: Date;
  readonly copies: CopiesOutcome | undefined;
  /** Copies that still contain the old certificate. */
  readonly outdated: readonly OutdatedCopy[];
};

export type RotatedClients = { readonly changed: Changed; readonly clients: readonly Renewed[] };

/** `days`: their lifetime; undefined: unchanged. */
export async function rotateClient(
  context: ActionContext,
  named: readonly string[],
  options: RunOptions & DueOptions & { readonly days: number | undefined },
): Promise<RotatedClients> {
  const { days } = options;
  const { run, state } = await openStoredRun(context, options);
  const here = [...state.clients.values()].filter(
    ({ record, key }) =>
      named.includes(record.name) ||
      (record.revokedAt === undefined && key !== undefined && record.reaches === undefined),
  );
  const certs = new Map(here.map((client) => [client.record.name, client.cert]));
  const names = await resolveNames('client', certs, { ...options, names: named, now: run.runtime.now() });
  const changed = await change(
    {
      reason: 'rotate client',
      want: (latest, now) => ({
        hosts: [],
        credentials: names.map((name) => renewed(latest, name, days, now)),
        target: { kind: 'desired' },
        copies: true,
      }),
    },
    run,
  );
  const clients = names.map((name) => {
    const client = changed.state.clients.get(name);
    const end = (cert: string | undefined) => inspectCertificate(cert ?? '').notAfter;
    return {
      name,
      before: end(certs.get(name)),
      after: end(client?.cert),
      copies: changed.copies.get(name),
      outdated: client === undefined ? [] : outdatedCopies(client),
    };
  });
  return { changed, clients };
}
