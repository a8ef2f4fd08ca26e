/** Names of the built-in roles, and of the files that say who has which. */

import { LISTENER_CLIENTS } from '../../../core/domain/dockerd/paths.ts';

export const ROLE_NAMES = ['full', 'read', 'monitor'] as const;

/** Of HAProxy's configuration, beside the host's credentials. */
export const CONFIG_NAME = 'haproxy.cfg';

export const LISTS: readonly string[] = [CONFIG_NAME, LISTENER_CLIENTS];
