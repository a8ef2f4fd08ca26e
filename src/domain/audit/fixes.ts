/** Owns the names of what `harden` can fix, and what each costs. The fixes themselves are made in the plan. */

export type FixName =
  | 'tls'
  | 'icc'
  | 'log-level'
  | 'iptables'
  | 'no-new-privileges'
  | 'live-restore'
  | 'userland-proxy'
  | 'userns-remap'
  | 'log-limits'
  | 'default-ulimits'
  | 'experimental'
  | 'audit-rules'
  | 'sshd'
  | 'sshd-root'
  | 'sshd-passwords'
  | 'docker-group'
  | 'file-modes';

export type Fix = {
  readonly name: FixName;
  readonly title: string;
  /** What the user would lose. */
  readonly cost?: string;
  /** Somebody or something that works now would no longer: it takes a yes of its own. */
  readonly needsYes?: true;
};

/** The command of docker-tls that makes a fix, without its host. */
export function fixCommand(name: FixName): string {
  if (name === 'tls') return 'setup';
  return needsYes(name) ? `harden --only ${name} --accept ${name}` : `harden --only ${name}`;
}

export function needsYes(name: FixName): boolean {
  return ALL_FIXES.some((fix) => fix.name === name && fix.needsYes === true);
}

export const ALL_FIXES: readonly Fix[] = [
  { name: 'tls', title: 'serve TCP with mutual TLS only (as `docker-tls setup` does)' },
  {
    name: 'icc',
    title: 'icc=false in daemon.json',
    cost: 'containers on the default bridge can no longer reach one another',
    needsYes: true,
  },
  { name: 'log-level', title: 'log-level=info' },
  { name: 'iptables', title: 'let Docker keep its firewall rules' },
  {
    name: 'no-new-privileges',
    title: 'no-new-privileges=true in daemon.json',
    cost: 'programs inside new containers cannot gain rights through setuid or sudo',
  },
  { name: 'live-restore', title: 'live-restore=true in daemon.json' },
  {
    name: 'userland-proxy',
    title: 'userland-proxy=false in daemon.json',
    cost: "published ports stop answering in three cases: over the host's IPv6 addresses (container with IPv4 only), by the host's address from containers of other networks, and from the container itself until it restarts",
    needsYes: true,
  },
  {
    name: 'userns-remap',
    title: 'userns-remap=default in daemon.json',
    cost: 'existing images and containers are hidden until it is switched off again; those that run go on, out of reach of docker, and their published ports answer nobody',
    needsYes: true,
  },
  {
    name: 'log-limits',
    title: 'max-size and max-file for container logs',
    cost: 'new containers keep the last lines of their logs only',
  },
  {
    name: 'default-ulimits',
    title: 'a default limit of open files for containers',
    cost: 'new containers that need more open files say so with --ulimit nofile=N',
  },
  { name: 'experimental', title: 'experimental=false' },
  { name: 'audit-rules', title: 'an audit rules file for dockerd and its files, loaded where the kernel can' },
  {
    name: 'sshd',
    title: 'a drop-in for sshd: LogLevel, MaxAuthTries, MaxSessions, PubkeyAuthentication, PermitEmptyPasswords',
    cost: 'a login that offers more keys than MaxAuthTries (4, with profile article 2) before the right one is refused',
  },
  {
    name: 'sshd-root',
    title: 'no logins as root over SSH (by key only, where harden itself logs in as root)',
    cost: 'whoever logs in as root, by password or at all, has to log in as a user with sudo',
    needsYes: true,
  },
  {
    name: 'sshd-passwords',
    title: 'no password logins over SSH',
    cost: 'whoever has no key can no longer log in',
    needsYes: true,
  },
  {
    name: 'docker-group',
    title: 'take users out of the docker group',
    cost: 'those users, the one who hardens among them, can no longer use docker without sudo',
    needsYes: true,
  },
  { name: 'file-modes', title: "owners and modes of Docker's files" },
];
