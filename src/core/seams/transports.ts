/** Transports for what ssh2 cannot do. adapters/ssh/connect.ts opens the first one. */

import type { Transport } from '../adapters/ssh/channel.ts';
import type { SshOptions } from '../runtime.ts';
import { seam } from './seam.ts';

export const TRANSPORTS = seam<{
  readonly name: Exclude<SshOptions['transport'], 'ssh2' | undefined>;
  /** Fails as ssh2 does, but never with E_SSH_TRANSPORT. */
  open(options: SshOptions): Promise<Transport>;
  /** The type of a key in the agent at `socket` that only this transport can use. Never rejects. */
  agentKey(socket: string): Promise<string | undefined>;
}>();
