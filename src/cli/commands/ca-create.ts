/** Owns `ca create`: a CA before any host, for those who want it first; setup makes one by itself. */

import { inspectCertificate } from '../../domain/pki/inspect.ts';
import { dateWords } from '../../domain/words.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';
import { startStored } from '../fleet-session.ts';
import { CA_OPTIONS, CLIENT_OPTIONS } from '../host-options.ts';

export const command = defineCommand({
  name: 'ca create',
  summary: 'A new CA; setup makes one by itself',
  examples: ['docker-tls ca create', 'docker-tls ca create --ca-name acme-docker --ca-days 1825 --key-type p384'],
  args: {},
  options: { ...CA_OPTIONS, keyType: CLIENT_OPTIONS.keyType },
  async run(context) {
    const { options, global } = context;
    const { session } = await startStored(context, options, 'ca create');
    if (session.state.ca !== undefined) {
      throw new DockerTlsError({
        code: 'E_CA_EXISTS',
        exit: 2,
        where: global.home,
        message: 'there is a CA in this store already',
        hints: ['docker-tls ca show', 'a new one in its place, with nobody locked out: docker-tls rotate ca'],
      });
    }
    if (global.dryRun) return { exit: 0, result: { dryRun: true }, text: 'would make a CA' };
    return session.store.withLock('docker-tls ca create', async () => {
      const cert = await session.keyring.caCert();
      await session.store.write(session.keyring.change());
      const { subject, notAfter, fingerprint } = inspectCertificate(cert);
      return {
        exit: 0,
        result: { subject, fingerprint, notAfter: notAfter.toISOString() },
        text: `CA ${subject}, until ${dateWords(notAfter)}\n${fingerprint}`,
        next: ['docker-tls setup root@HOST'],
      };
    });
  },
});
