/** Owns the names of what `harden` can mend, and what each costs. The fixes themselves are made in the plan. */

export type MendName =
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
  | 'sshd-passwords'
  | 'docker-group'
  | 'file-modes';

export type Mend = {
  readonly name: MendName;
  readonly title: string;
  /** What the user would lose: such a fix needs its own yes. */
  readonly cost?: string;
};

/** The command of docker-tls that makes a fix, without its host. */
export function mendCommand(name: MendName): string {
  return name === 'tls' ? 'setup' : `harden --only ${name}`;
}

export const MENDS: readonly Mend[] = [
  { name: 'tls', title: 'serve TCP with mutual TLS only (as `docker-tls setup` does)' },
  {
    name: 'icc',
    title: 'icc=false in daemon.json',
    cost: 'containers on the default bridge can no longer reach one another',
  },
  { name: 'log-level', title: 'log-level=info' },
  { name: 'iptables', title: 'let Docker keep its firewall rules' },
  {
    name: 'no-new-privileges',
    title: 'no-new-privileges=true in daemon.json',
    cost: 'programs inside new containers cannot gain rights through setuid or sudo',
  },
  { name: 'live-restore', title: 'live-restore=true in daemon.json' },
  { name: 'userland-proxy', title: 'userland-proxy=false in daemon.json' },
  {
    name: 'userns-remap',
    title: 'userns-remap=default in daemon.json',
    cost: 'existing images and containers are hidden until it is switched off again',
  },
  { name: 'log-limits', title: 'max-size and max-file for container logs' },
  { name: 'default-ulimits', title: 'default limits of open files and processes' },
  { name: 'experimental', title: 'experimental=false' },
  { name: 'audit-rules', title: 'an audit rules file for dockerd and its files, loaded where the kernel can' },
  {
    name: 'sshd',
    title:
      'a drop-in for sshd: LogLevel, MaxAuthTries, MaxSessions, PubkeyAuthentication, PermitEmptyPasswords, PermitRootLogin',
  },
  { name: 'sshd-passwords', title: 'no password logins over SSH', cost: 'whoever has no key can no longer log in' },
  {
    name: 'docker-group',
    title: 'take users out of the docker group',
    cost: 'those users can no longer use docker without sudo',
  },
  { name: 'file-modes', title: "owners and modes of Docker's files" },
];
