/** Names of fixes for the setting `harden`. In a file apart from the fixes, because every start reads them. */

export const FIX_NAMES = [
  'tls',
  'icc',
  'log-level',
  'iptables',
  'no-new-privileges',
  'live-restore',
  'userland-proxy',
  'userns-remap',
  'log-limits',
  'default-ulimits',
  'experimental',
  'audit-rules',
  'sshd',
  'sshd-root',
  'sshd-passwords',
  'docker-group',
  'file-modes',
  'kernel-network',
  'kernel-self',
  'kernel-bpf',
  'modules',
  'modules-used',
  'sshd-idle',
  'sshd-x11',
  'sshd-remote-forwarding',
  'sshd-forwarding',
  'sshd-sessions',
  'core-dumps',
  'login-defs',
  'banner',
  'umask',
  'session-timeout',
] as const;
export type FixName = (typeof FIX_NAMES)[number];

/** One line, without control characters or agetty's \\ codes. */
const TEXT = '[^\\p{C}\\\\]{1,1000}';
export const BANNER_TEXT = new RegExp(`^${TEXT}$`, 'u');

/** Parameter of a fix: a group member that stays, a number, a text. `editor`: the pattern for editors of fleet files. */
export const FIX_VALUES = [
  { pattern: /^docker-group:[^\s\p{C}]+$/u, editor: '^docker-group:\\S+$' },
  { pattern: /^sshd:max-auth-tries=[1-9]\d?$/u, editor: '^sshd:max-auth-tries=[1-9][0-9]?$' },
  { pattern: new RegExp(`^banner:text=${TEXT}$`, 'u'), editor: '^banner:text=.+$' },
] as const;
