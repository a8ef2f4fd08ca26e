/** Names of the built-in roles. */

export const ROLE_NAMES = ['full', 'read', 'monitor'] as const;
