/** Configuration of ssh for a destination. adapters/ssh/resolve-endpoint.ts reads the first one. */

import type { Endpoint } from '../adapters/ssh/endpoint.ts';
import type { SshOptions } from '../runtime.ts';
import { seam } from './seam.ts';

export const SSH_CONFIG = seam<{
  /** `endpoint`, of options and defaults, with what the configuration has; options win. Errors: E_SSH_CONFIG, E_SSH_NAME, E_INTERRUPTED. */
  configured(options: SshOptions, endpoint: Endpoint): Promise<Endpoint>;
}>();
