/**
 * The table of dockerd's flags: which take no value, what their short forms are, and which key of daemon.json means the same.
 * Source: moby, cmd/dockerd/config*.go and daemon/config, 20.10 to 29; spf13/pflag, with which dockerd reads its words.
 */

/** Flags that take no word of their own (long names): only `--flag=false` switches them off. */
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

/** Where daemon.json calls a flag by another name. */
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

/** The key of daemon.json of a flag (long name, no dashes): `hosts` of `host`. */
export function keyOfFlag(flag: string): string {
  return KEYS[flag] ?? flag;
}

/** The flag of a key of daemon.json, with dashes: `--log-opt` of `log-opts`. */
export function flagOfKey(key: string): string {
  return `--${FLAGS.get(key) ?? key}`;
}

/** Whether dockerd takes a key of daemon.json and its flags together; with any other it ends itself (moby: findConfigurationConflicts, skipDuplicates). */
export function isMerged(key: string): boolean {
  return key === 'runtimes';
}

/** The long name of a flag's letter; undefined where dockerd has no such letter. */
export function longName(letter: string): string | undefined {
  return LONG[letter];
}

export function isSwitch(flag: string): boolean {
  return SWITCHES.has(flag);
}

/**
 * Whether the word after a flag (long name) is its value. A flag that is not in the table may be a switch of a newer dockerd:
 * what looks like another flag is never swallowed.
 */
export function takesWord(flag: string, next: string | undefined): next is string {
  return next !== undefined && !SWITCHES.has(flag) && !/^--?[A-Za-z]/.test(next);
}

/** A switch's value as dockerd reads it. */
export function isTrue(value: string): boolean {
  return /^(1|t|true)$/i.test(value);
}
