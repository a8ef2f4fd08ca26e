/**
 * Table of dockerd's flags: switches, short forms, and equivalent keys of daemon.json.
 * Source: moby, cmd/dockerd/config*.go and daemon/config, 20.10 to 29; spf13/pflag, dockerd's flag parser.
 */

/** Flags without a separate value (long names): only `--flag=false` turns them off. */
const SWITCHES: ReadonlySet<string> = new Set(
  `allow-direct-routing cri-containerd debug experimental help icc init ip-forward ip-forward-no-drop ip-masq
    ip6tables iptables ipv6 live-restore no-new-privileges raw-logs rootless selinux-enabled tls tlsverify
    userland-proxy validate version`.split(/\s+/),
);

const LONG: Readonly<Record<string, string>> = {
  D: 'debug',
  G: 'group',
  H: 'host',
  b: 'bridge',
  g: 'data-root',
  h: 'help',
  l: 'log-level',
  p: 'pidfile',
  s: 'storage-driver',
  v: 'version',
};

/** Flags whose key in daemon.json has another name. */
const KEYS: Readonly<Record<string, string>> = {
  'add-runtime': 'runtimes',
  'authorization-plugin': 'authorization-plugins',
  'cdi-spec-dir': 'cdi-spec-dirs',
  'default-address-pool': 'default-address-pools',
  'default-network-opt': 'default-network-opts',
  'default-ulimit': 'default-ulimits',
  'dns-opt': 'dns-opts',
  'exec-opt': 'exec-opts',
  feature: 'features',
  graph: 'data-root',
  host: 'hosts',
  'insecure-registry': 'insecure-registries',
  label: 'labels',
  'log-opt': 'log-opts',
  'node-generic-resource': 'node-generic-resources',
  'registry-mirror': 'registry-mirrors',
  'storage-opt': 'storage-opts',
};

const FLAGS = new Map(
  Object.entries(KEYS)
    .filter(([flag]) => flag !== 'graph')
    .map(([flag, key]) => [key, flag]),
);

/** Key in daemon.json of a flag (long name, no dashes): `hosts` for `host`. */
export function keyOfFlag(flag: string): string {
  return KEYS[flag] ?? flag;
}

/** Flag of a key in daemon.json, with dashes: `--log-opt` for `log-opts`. */
export function flagOfKey(key: string): string {
  return `--${FLAGS.get(key) ?? key}`;
}

/**
 * Whether dockerd merges a key of daemon.json with its flags; with any other key in both, it exits (moby: findConfigurationConflicts,
 * skipDuplicates).
 */
export function isMerged(key: string): boolean {
  return key === 'runtimes';
}

/** Long name of a short flag; undefined if dockerd does not have it. */
export function longName(letter: string): string | undefined {
  return LONG[letter];
}

export function isSwitch(flag: string): boolean {
  return SWITCHES.has(flag);
}

/**
 * Whether the word after a flag (long name) is its value. An unknown flag may be a switch of a newer dockerd, so a word that looks like a
 * flag is never taken.
 */
export function takesWord(flag: string, next: string | undefined): next is string {
  return next !== undefined && !SWITCHES.has(flag) && !/^--?[A-Za-z]/.test(next);
}

/** A switch's value as dockerd parses it. */
export function isTrue(value: string): boolean {
  return /^(1|t|true)$/i.test(value);
}
