/** `ca create`: a CA before the first host; setup otherwise creates one. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { CA_OPTIONS, CLIENT_OPTIONS } from '../../cli/host-options.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { openStoredRun } from '../actions/run.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import { newCaHints } from '../domain/trust/ca-refusals.ts';
import { firstCa, type Wanted } from '../domain/trust/changes.ts';
import { dateWords } from '../domain/words.ts';
import { change } from '../engine/change.ts';
import type { PlannedChangeDocument } from '../render/change-document.ts';
import { renderPlanned } from '../render/change-result.ts';

export type CaCreateDocument =
  | PlannedChangeDocument
  | { readonly subject: string; readonly fingerprint: string; readonly notAfter: Date };

export const command = defineCommand({
  scope: ['fleet', 'changes', 'store'],
  examples: ['docker-tls ca create', 'docker-tls ca create --ca-name acme-docker --ca-days 1825 --key-type p384'],
  args: {},
  options: { ...CA_OPTIONS, keyType: CLIENT_OPTIONS.keyType },
  /** Fails with E_CA_EXISTS (exit 2). */
  async run(context): Promise<CommandResult<CaCreateDocument>> {
    const { run, ca } = await openStoredRun(context, context.options);
    const want = (state: StoreState): Wanted => {
      if (state.ca !== undefined) throw caExists(run.store.home);
      return { hosts: [], credentials: firstCa(state.ca, ca), target: { kind: 'desired' } };
    };
    const changed = await change({ reason: 'ca create', want }, run);
    if (changed.planned !== undefined) return renderPlanned(changed.planned, context);
    const { subject, notAfter, fingerprint } = inspectCertificate(changed.state.ca?.cert ?? '');
    return {
      exit: 0,
      result: { subject, fingerprint, notAfter },
      text: `CA ${subject}, until ${dateWords(notAfter)}\n${fingerprint}`,
      next: ['docker-tls setup root@HOST'],
    };
  },
});

function caExists(home: string): DockerTlsError {
  return new DockerTlsError('E_CA_EXISTS', 'there is a CA in this store already', {
    where: home,
    hints: ['docker-tls ca show', ...newCaHints()],
  });
}
