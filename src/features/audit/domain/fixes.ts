/** Fixes of `harden` and their costs. The plan applies them. */

import type { FixName } from './fix-names.ts';

/** `none`: users lose nothing. `low`: a rare loss, described by the cost. `yes`: breaks existing access, so it needs acceptance by name. */
export type Risk = 'none' | 'low' | 'yes';

export type Fix = {
  readonly name: FixName;
  readonly title: string;
  readonly risk: Risk;
  /** Loss for users. */
  readonly cost?: string;
};

const TABLE = {
  tls: { title: 'serve TCP with mutual TLS only (as `docker-tls setup` does)', risk: 'none' },
  icc: {
    title: 'icc=false in daemon.json',
    cost: 'containers on the default bridge can no longer reach one another',
    risk: 'yes',
  },
  'log-level': { title: 'log-level=info', risk: 'none' },
  iptables: { title: 'let Docker keep its firewall rules', risk: 'none' },
  'no-new-privileges': {
    title: 'no-new-privileges=true in daemon.json',
    cost: 'programs inside new containers cannot gain rights through setuid or sudo',
    risk: 'low',
  },
  'live-restore': {
    title: 'live-restore=true in daemon.json',
    risk: 'low',
    cost: 'at a shutdown of the host systemd ends the containers, not dockerd: one that ignores SIGTERM delays it until systemd kills it',
  },
  'userland-proxy': {
    title: "userland-proxy=false in daemon.json, and a firewall rule that keeps containers off the host's 127.0.0.1",
    cost: "published ports stop answering in three cases: over the host's IPv6 addresses (container with IPv4 only), by the host's address from containers of other networks, and from the container itself until it restarts; dockerd lets its bridges route 127.0.0.0/8 (route_localnet), so that containers with NET_RAW or NET_ADMIN would reach services on the host's 127.0.0.1: a rule in iptables' raw table drops that, and whoever flushes that table opens it until Docker's next start",
    risk: 'yes',
  },
  'userns-remap': {
    title: 'userns-remap=default in daemon.json',
    cost: 'existing images and containers are hidden until it is disabled again; running ones keep running, out of reach of docker, and their published ports do not answer until a rollback, neither from outside nor on 127.0.0.1; with the image store of containerd (Docker 29) new images are stored by overlay2 again; a user dockremap is made, and stays',
    risk: 'yes',
  },
  'log-limits': {
    title: 'max-size and max-file for container logs',
    cost: 'new containers keep the last lines of their logs only',
    risk: 'low',
  },
  'default-ulimits': {
    title: 'a default limit of open files for containers',
    cost: 'new containers that need more open files say so with --ulimit nofile=N',
    risk: 'low',
  },
  experimental: { title: 'experimental=false', risk: 'none' },
  'audit-rules': {
    title: 'an audit rules file for dockerd and its files, loaded where the kernel can',
    risk: 'low',
    cost: 'each change of these files is a record in the audit log; of the data directory only the directory itself is watched, since every write of a container would be a record',
  },
  sshd: {
    title: 'a drop-in for sshd: LogLevel, MaxAuthTries, MaxSessions, PubkeyAuthentication, PermitEmptyPasswords',
    cost: 'a login that offers more keys than MaxAuthTries (4, fewer in some profiles) before the right one is refused',
    risk: 'low',
  },
  'sshd-root': {
    title: 'no logins as root over SSH (by key only if harden itself logs in as root)',
    cost: 'users who log in as root, by password or at all, have to log in as a user with sudo',
    risk: 'yes',
  },
  'sshd-passwords': {
    title: 'no password logins over SSH',
    cost: 'users without a key can no longer log in',
    risk: 'yes',
  },
  'docker-group': {
    title: 'take users out of the docker group',
    cost: 'those users, the one who hardens among them, can no longer use docker without sudo',
    risk: 'yes',
  },
  'file-modes': { title: "owners and modes of Docker's files", risk: 'none' },
  'kernel-network': {
    title: 'sysctl: no redirects, no source routes, martians logged, addresses checked on their way in',
    risk: 'low',
    cost: 'answers that leave by another interface than they are expected on are dropped, where no interface has rp_filter=2; forwarding stays on',
  },
  'kernel-self': {
    title: 'sysctl: kernel addresses, its log, ptrace, perf and FIFOs are closed to users',
    risk: 'low',
    cost: 'users cannot attach a debugger to their other programs, read dmesg or use perf; the console has no SysRq',
  },
  'kernel-bpf': {
    title: 'sysctl: users load no BPF programs',
    risk: 'low',
    cost: 'only a boot resets it, so rollback and remove take effect then; BPF of root keeps working',
  },
  modules: {
    title: 'modprobe: dccp, rds, tipc, FireWire, USB storage, and old file systems are never loaded',
    risk: 'low',
    cost: 'USB disks and FireWire devices are no longer recognised; modules that are loaded now are skipped',
  },
  'modules-used': {
    title: 'modprobe: sctp, squashfs and udf are never loaded',
    risk: 'yes',
    cost: 'published /sctp ports, snaps and ISO images with UDF no longer work',
  },
  'sshd-idle': {
    title: 'sshd: TCPKeepAlive no, ClientAliveInterval 300, ClientAliveCountMax 2',
    risk: 'low',
    cost: 'an SSH session whose client does not answer for ten minutes ends',
  },
  'sshd-x11': { title: 'sshd: X11Forwarding no', risk: 'low', cost: 'ssh -X shows no windows' },
  'sshd-remote-forwarding': {
    title: 'sshd: AllowTcpForwarding local',
    risk: 'low',
    cost: 'ssh -R opens no port on this host; ssh -L, editors over SSH and jumps through it keep working',
  },
  'sshd-forwarding': {
    title: 'sshd: AllowTcpForwarding no, AllowAgentForwarding no',
    risk: 'yes',
    cost: 'ssh -L, -R and -A, editors over SSH and jumps through this host no longer work; skipped where this host is the jump host of another host in the store',
  },
  'sshd-sessions': {
    title: 'sshd: MaxSessions 2',
    risk: 'yes',
    cost: 'one shared SSH connection (ControlMaster, Ansible, DOCKER_HOST=ssh://) carries two sessions at a time',
  },
  'core-dumps': {
    title: 'no core dumps of logins and services',
    risk: 'low',
    cost: 'coredumpctl has nothing to show; containers keep the limits that docker gives them',
  },
  'login-defs': {
    title:
      'login.defs: passwords of new accounts end after a year, failed logins are noted, more rounds for SHA hashes',
    risk: 'low',
    cost: 'passwords of accounts made from now on end after 365 days; the rest has no effect on Debian (it hashes with yescrypt and has no faillog); /etc/login.defs is a conffile: an upgrade that changes it asks which version to keep',
  },
  banner: {
    title: 'a banner before each login: /etc/issue, /etc/issue.net, and sshd shows it (--banner TEXT)',
    risk: 'low',
    cost: 'both files are conffiles: an upgrade to the next release of the distribution asks which version to keep',
  },
  umask: {
    title: 'umask 027 for logins',
    risk: 'yes',
    cost: 'files that users make are closed to others: shared directories and build checkouts may need another group; /etc/login.defs is a conffile: an upgrade that changes it asks which version to keep',
  },
  'session-timeout': {
    title: 'idle shells end after 15 minutes (TMOUT)',
    risk: 'yes',
    cost: 'shells that wait end, with what they run in the background: those in tmux, of docker attach and on the console among them; users cannot set TMOUT back',
  },
} as const satisfies Readonly<Record<FixName, Omit<Fix, 'name'>>>;

export const ALL_FIXES: readonly Fix[] = Object.entries(TABLE).map(([name, fix]) => ({
  name: name as FixName,
  ...fix,
}));

/** The docker-tls command that applies a fix, without its host. */
export function fixCommand(name: FixName): string {
  return name === 'tls' ? 'setup' : fixesCommand([name]);
}

/** The command for several fixes. Its owner completes the text of the banner. */
export function fixesCommand(names: readonly FixName[]): string {
  const accept = names.filter(needsYes);
  const words = [`harden --only ${names.join(',')}`, accept.length > 0 ? `--accept ${accept.join(',')}` : ''];
  return [...words, names.includes('banner') ? '--banner TEXT' : ''].filter((word) => word !== '').join(' ');
}

export function needsYes(name: FixName): boolean {
  return TABLE[name].risk === 'yes';
}

/** Settings of scanners and other tools that these fixes never apply. */
export const NEVER: readonly { readonly setting: string; readonly why: string }[] = [
  { setting: 'net.ipv4.ip_forward=0', why: 'published ports and the networks of containers stop working' },
  {
    setting: 'kernel.modules_disabled=1',
    why: 'Docker loads overlay, veth, br_netfilter and others when it needs them',
  },
  { setting: 'user.max_user_namespaces=0', why: 'userns-remap, rootless Docker and rootless builds stop working' },
  { setting: 'a firewall policy', why: 'it can shut out SSH, the TLS port and the networks of containers' },
  { setting: 'auditd that stops the host when its disk is full', why: "a container's log can fill the disk" },
];
