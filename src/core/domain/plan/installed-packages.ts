/** Packages that docker-tls installed on a host. */

import { removeCommand } from '../dockerd/install-hints.ts';
import { LISTENER_PACKAGE_LIST, PACKAGE_LIST } from '../dockerd/paths.ts';
import { type Login, rootCommand } from '../quote.ts';
import { fileText, type HostFacts } from './facts.ts';

/** A Debian package, perhaps with its architecture. */
export const PACKAGE_NAME = /^[a-z0-9][a-z0-9+.-]*(?::[a-z0-9]+)?$/;

/** Parses the host's list of them. */
export function installedPackages(facts: HostFacts): readonly string[] {
  return parsePackageList(fileText(facts, PACKAGE_LIST));
}

/** Those of a listener; its list may have names of any package manager. */
export function listenerPackages(facts: HostFacts): readonly string[] {
  return [
    ...new Set(
      (fileText(facts, LISTENER_PACKAGE_LIST) ?? '').split('\n').filter((name) => /^[A-Za-z0-9][\w.+-]*$/.test(name)),
    ),
  ];
}

export function parsePackageList(text: string | undefined): readonly string[] {
  return [...new Set((text ?? '').split('\n').filter((name) => PACKAGE_NAME.test(name)))];
}

/** Hints for a host that has packages of docker-tls, and is not set up. */
export function leftPackages(facts: HostFacts, login: Login): string[] {
  // harden installs only Debian's.
  const lists = [
    { names: installedPackages(facts), manager: 'apt', list: PACKAGE_LIST },
    { names: listenerPackages(facts), manager: facts.distribution?.manager, list: LISTENER_PACKAGE_LIST },
  ] as const;
  return lists.flatMap(({ names, manager, list }) =>
    names.length === 0 || manager === undefined
      ? []
      : [
          `packages that docker-tls installed are still there: ${rootCommand(login, ...removeCommand(manager, names))}`,
          `and then their list: ${rootCommand(login, 'rm', list)}`,
        ],
  );
}
