/** The newest release of docker-tls. commands/version.ts asks for it. */

import { seam } from './seam.ts';

export type NewestVersion = { readonly newest: string; readonly outdated: boolean };

export const RELEASES = seam<{
  readonly url: string;
  /** Fails with E_RELEASES (exit 4). */
  newestVersion(own: string, signal: AbortSignal): Promise<NewestVersion>;
}>();
