/** One hop as dialled: options, ssh config and defaults combined. */

import type { SshOptions } from '../../runtime.ts';

export type Endpoint = {
  /** The name as the user wrote it. */
  readonly alias: string;
  /** The options for reaching it, for commands to paste. */
  readonly requested: Pick<SshOptions, 'configFile' | 'identities' | 'jump'>;
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  /** Key files in the order of attempts; `explicit` ones were named with -i and must exist. */
  readonly identities: readonly { readonly file: string; readonly explicit: boolean }[];
  readonly identitiesOnly: boolean;
  readonly agent?: string;
  readonly userKnownHosts: readonly string[];
  readonly globalKnownHosts: readonly string[];
  readonly hostKeyAlias?: string;
  readonly hashKnownHosts: boolean;
  /** The configuration has StrictHostKeyChecking accept-new. `no` is ignored. */
  readonly acceptNew: boolean;
  /** Jump hosts from the configuration, nearest first. */
  readonly jump: readonly string[];
  /** Keywords of the configuration that only the system's ssh supports. */
  readonly needsOpenSsh: readonly string[];
  readonly family?: 4 | 6;
  readonly publicKeys: boolean;
  readonly passwords: boolean;
  readonly keyboardInteractive: boolean;
};
