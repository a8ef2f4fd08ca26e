/** Selection of hosts or clients for a rotation: by name, all, or those due. */

import { DockerTlsError, usage } from '../../../errors/errors.ts';
import { inspectCertificate } from '../pki/inspect.ts';
import { renewal } from '../pki/renewal.ts';
import { knownWords } from '../words.ts';

type RenewalChoice = {
  readonly names: readonly string[];
  readonly due: boolean;
  readonly all: boolean;
  /** Milliseconds before expiry; undefined: due by the elapsed share of the lifetime. */
  readonly within: number | undefined;
  readonly now: Date;
};

/** Selected names among `certs` (name → certificate). Fails with E_USAGE, E_HOST_UNKNOWN or E_CLIENT_UNKNOWN (exit 2). */
export async function resolveNames(
  what: 'host' | 'client',
  certs: ReadonlyMap<string, string>,
  choice: RenewalChoice,
): Promise<string[]> {
  const ways = [choice.names.length > 0, choice.due, choice.all].filter(Boolean).length;
  if (ways !== 1) {
    const command = `docker-tls rotate ${what === 'host' ? 'server' : 'client'}`;
    throw usage(`say which: ${what} names, --due or --all`, [`${command} --due`, `${command} --all`]);
  }
  const unknown = choice.names.filter((name) => !certs.has(name));
  if (unknown.length > 0) {
    throw new DockerTlsError(
      what === 'host' ? 'E_HOST_UNKNOWN' : 'E_CLIENT_UNKNOWN',
      `no ${what} ${unknown.join(', ')} in the store${knownWords(certs.keys())}`,
      { hints: ['docker-tls status --offline'] },
    );
  }
  if (choice.names.length > 0) return [...choice.names];
  if (choice.all) return [...certs.keys()];
  // Only --due parses certificates: with names, a connection starts without that.
  const due = { now: choice.now, withinDays: choice.within && choice.within / 86_400_000 };
  return [...certs]
    .filter(([, cert]) => renewal({ ...inspectCertificate(cert), ...due }).state !== 'ok')
    .map(([name]) => name);
}
