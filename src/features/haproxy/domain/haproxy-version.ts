/** Versions of HAProxy. */

import { upgradeCommand } from '../../../core/domain/dockerd/install-hints.ts';
import type { HostFacts } from '../../../core/domain/plan/facts.ts';
import { type Login, rootCommand, shellQuote } from '../../../core/domain/quote.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';

const FIRST_VERSION = [2, 6] as const;

/** From the first line of `haproxy -v`; empty if it has none. */
export function haproxyVersion(line: string): string {
  return printable(/version (\d+\.\d+(?:\.\d+)?)/.exec(line)?.[1] ?? '');
}

/** An unknown version is not: its configuration is checked before anything changes. */
export function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [first, second] = FIRST_VERSION;
  return version !== '' && (major < first || (major === first && minor < second));
}

export function tooOld(
  version: string,
  {
    where,
    login,
    distribution,
  }: { readonly where: string; readonly login: Login; readonly distribution: HostFacts['distribution'] },
): DockerTlsError {
  return new DockerTlsError(
    'E_HAPROXY_OLD',
    `HAProxy ${version} is too old; ${FIRST_VERSION.join('.')} is the first that can do this`,
    {
      where,
      hints: [
        ...(distribution === undefined ? [] : [rootCommand(login, ...upgradeCommand(distribution, ['haproxy']))]),
        `or let dockerd accept clients: docker-tls setup ${shellQuote(where)} --listener dockerd`,
      ],
    },
  );
}
