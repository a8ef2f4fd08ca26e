/** `ca create`: a CA before the first host; setup otherwise creates one. */

import { defineCommand } from '../../cli/command.ts';
import { CA_OPTIONS, CLIENT_OPTIONS } from '../../cli/host-options.ts';
import { createCa } from '../actions/ca-create.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import { dateWords } from '../domain/words.ts';
import { renderChange } from '../render/change.ts';

export const command = defineCommand({
  scope: ['fleet', 'changes', 'store'],
  examples: ['docker-tls ca create', 'docker-tls ca create --ca-name acme-docker --ca-days 1825 --key-type p384'],
  args: {},
  options: { ...CA_OPTIONS, keyType: CLIENT_OPTIONS.keyType },
  async run(context) {
    const changed = await createCa(context, context.options);
    if (changed.planned !== undefined) return renderChange(changed, context);
    const { subject, notAfter, fingerprint } = inspectCertificate(changed.state.ca?.cert ?? '');
    return {
      exit: 0,
      result: { subject, fingerprint, notAfter },
      text: `CA ${subject}, until ${dateWords(notAfter)}\n${fingerprint}`,
      next: ['docker-tls setup root@HOST'],
    };
  },
});
