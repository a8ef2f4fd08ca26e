/** Packages that docker-tls installed on a host. */

import { PACKAGE_LIST } from '../dockerd/paths.ts';
import { fileText, type HostFacts } from './facts.ts';

/** A Debian package, perhaps with its architecture. */
export const PACKAGE_NAME = /^[a-z0-9][a-z0-9+.-]*(?::[a-z0-9]+)?$/;

/** Parses the host's list of them. */
export function installedPackages(facts: HostFacts): readonly string[] {
  return parsePackageList(fileText(facts, PACKAGE_LIST));
}

export function parsePackageList(text: string | undefined): readonly string[] {
  return [...new Set((text ?? '').split('\n').filter((name) => PACKAGE_NAME.test(name)))];
}
