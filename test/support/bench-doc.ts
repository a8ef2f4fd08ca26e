/**
 * The part of docs/lists/checks.md that compares our verdicts with those of docker-bench-security: the differences on the same host, and which
 * verdict to trust.
 */

type Difference = {
  readonly checks: string;
  /** The result of docker-bench-security. */
  readonly bench: string;
  /** Our result, and why it is right. */
  readonly ours: string;
};

const DIFFERENCES: readonly Difference[] = [
  {
    checks: 'all of 2, 3.9 to 3.14',
    bench:
      'takes the command line of the newest process that has "dockerd" anywhere in it: with an editor open on dockerd\'s flags 2.2 and 2.10 pass. A flag with a space (`--config-file /x`, `--tlskey /x`) is not seen',
    ours: 'the process that docker.pid names, else a dockerd outside of containers; flags in any spelling',
  },
  {
    checks: 'all of 2, 3.9 to 3.14',
    bench:
      'without jq, reads daemon.json line by line: misses a value on the line below its key, and the last key of a one-line file',
    ours: 'daemon.json is parsed, as strictly as dockerd does',
  },
  {
    checks: '2.2, 2.10, 2.13, 5.26',
    bench:
      'PASS for settings in daemon.json that are not active, because dockerd was not restarted or the container is older',
    ours: 'the active settings of dockerd and the kernel',
  },
  {
    checks: '2.3',
    bench: 'PASS for `-D` and for `"debug": true`',
    ours: 'a finding: the level is debug then',
  },
  {
    checks: '2.8',
    bench:
      'INFO "not listening on TCP" for a port of a socket unit, for `hosts` over several lines and for two TCP addresses; with jq, WARN for TLS that is right in daemon.json; PASS for `--tlsverify=false`; WARN for `--tls` alone, which verifies clients',
    ours: 'flags, daemon.json, socket units and the sockets that dockerd holds; probes from outside test which clients are accepted (tls.1 to tls.4)',
  },
  {
    checks: '2.9',
    bench: 'INFO where no limits are set',
    ours: 'a finding of severity low, which `harden` fixes',
  },
  {
    checks: '2.10, 2.15, 2.16',
    bench: 'PASS for `--userns-remap=`, `--no-new-privileges=false`, `--live-restore=false`',
    ours: 'the value counts',
  },
  {
    checks: '2.11',
    bench: 'never sees cgroup-parent in daemon.json (`grep -v ""` matches nothing)',
    ours: 'sees it in both places',
  },
  {
    checks: '2.14',
    bench: 'PASS for every driver but json-file: local, journald, none',
    ours: 'a finding unless the driver sends logs away, or is journald with systemd-journal-upload',
  },
  {
    checks: '2.18',
    bench:
      'INFO from Docker 23.0 on, where the profile is called builtin and no longer default; INFO for unconfined as well',
    ours: 'pass, and a finding for unconfined; a profile from a file is manual',
  },
  {
    checks: '2.19',
    bench: 'INFO "deprecated" from 19.04 on, also where `"experimental": true` is set',
    ours: 'a finding where it is set',
  },
  {
    checks: '1.1.1',
    bench: 'WARN unless the data directory itself is a mount point, also for /data/docker on its own /data',
    ours: 'whether the data directory shares its file system with the rest of the host',
  },
  {
    checks: '1.1.2',
    bench: 'INFO with a list; with -u, a WARN for unknown users. Primary groups are not seen',
    ours: 'a finding for each member, primary groups included; accepted ones go into a baseline',
  },
  {
    checks: '1.1.3 to 1.1.18',
    bench:
      'PASS if a loaded rule contains the path anywhere: a rule for reading only, for /usr/bin/dockerd-old, or one that does not survive a reboot. WARN where a watched parent directory covers it, and where the kernel has no auditing. Without auditctl a rule in a file is enough',
    ours: 'the rule must cover the path, report writes, be loaded and be in a file; without auditing in the kernel it does not apply',
  },
  {
    checks: '1.1.4, 1.1.8',
    bench:
      'PASS for -w /run/containerd that was loaded at boot, before containerd made that directory: the kernel took it for a file, and records nothing that happens inside',
    ours: 'the kernel is asked which directories it watches, and tmpfiles.d whether the directory is there in time at the next boot',
  },
  {
    checks: '1.1.3, 1.1.14 to 1.1.18',
    bench: "looks at /usr/bin only: with Debian's docker.io (/usr/sbin/dockerd) 1.1.3 cannot pass honestly",
    ours: 'the binary that runs',
  },
  {
    checks: '1.2.2',
    bench: 'PASS whatever the version: both of its branches pass',
    ours: 'a finding for versions that Docker no longer fixes, and for those with known vulnerabilities that a later one fixes',
  },
  {
    checks: '3.2, 3.4, 3.6 … (modes)',
    bench: 'compares octal modes as decimal numbers: 0606, 0577, 0626, 0466 and 0426 pass',
    ours: 'compares bits: no right that is not in the wanted mode',
  },
  {
    checks: '3.1 to 3.4, 3.17, 3.18',
    bench: 'the unit file in /etc or /lib, and /etc/docker/daemon.json; drop-ins are not looked at',
    ours: 'the files in use (`--config-file`); drop-ins and the directories of TLS files are file.1 to file.4',
  },
  {
    checks: '3.7, 3.8',
    bench: 'files called *.crt, and their owner; keys and groups are not seen',
    ours: 'every file below certs.d, with group; keys in tls.9',
  },
  {
    checks: '3.9 to 3.14',
    bench: "INFO for dockerd's default paths; a key with mode 0000 is WARN",
    ours: 'the defaults too; narrower than asked passes',
  },
  {
    checks: '3.15',
    bench: 'WARN for root:root, which is stricter than root:docker, and for the `group` that dockerd was given',
    ours: 'both pass',
  },
  {
    checks: '4.1',
    bench: 'PASS for `0:0` and `00`',
    ours: 'uid 0 however it is written',
  },
  {
    checks: '4.5',
    bench: 'the environment of the shell in which it runs',
    ours: "/etc/environment, profiles and root's shell: what a login shell gets",
  },
  {
    checks: '4.7, 4.9',
    bench:
      'INFO for the letters "update" or "ADD" anywhere in a history, as in `LABEL ADDRESS`; 4.7 sees the first 45 characters of each line',
    ours: 'a finding for instructions: an update that stands alone, an ADD that is not the root file system',
  },
  {
    checks: '5.2, 5.3',
    bench:
      'WARN where the kernel has no AppArmor or SELinux; 5.3 passes for any security option, and for --privileged, --pid host and --ipc host, which set one',
    ours: 'does not apply without them; 5.3 asks for labels',
  },
  {
    checks: '5.6',
    bench:
      'eight directories by exact name, mounted writable: /etc/ssh, /home, /run and a read-only /etc pass. The name inside the container counts as well: WARN for a volume on /etc',
    ours: 'what lies below and above counts, sockets of containerd and podman, and secrets that are only read (/etc, /root, not /usr, /lib, /boot or /sys); where it lands does not',
  },
  {
    checks: '5.7',
    bench:
      "runs `ps` in each container: passes where the image has none; WARN under --pid host for the host's own sshd, and for the word in an argument",
    ours: 'looks from outside, by control group',
  },
  {
    checks: '5.8',
    bench: 'WARN for 1024 (`-lt 1025`)',
    ours: 'below 1024, as the kernel has it',
  },
  {
    checks: '5.9, 5.14',
    bench: '0.0.0.0 and IPv4 only: PASS for a port on [::]; 5.9 is WARN for every other port',
    ours: 'both families; 5.9 lists the ports and is manual',
  },
  {
    checks: '5.12',
    bench: 'WARN for --cpu-quota',
    ours: 'shares, --cpus and quota',
  },
  {
    checks: '5.15',
    bench: 'only a count above 5 is WARN: PASS for always, unless-stopped, and on-failure without an end',
    ours: 'a finding for all three',
  },
  {
    checks: '5.19',
    bench: "upside down: INFO for the daemon's limits, PASS for limits of the container's own",
    ours: "limits of the container's own are manual",
  },
  {
    checks: '5.22',
    bench: 'PASS for --privileged, which takes the filter away, and for a profile that allows what it does not name',
    ours: 'a finding',
  },
  {
    checks: '5.26',
    bench: 'by name: PASS for no-new-privileges=false, and for all containers under `--no-new-privileges=false`',
    ours: 'the bit of the running process',
  },
  {
    checks: '5.30',
    bench: 'INFO',
    ours: 'a finding of severity low',
  },
  {
    checks: '5.32',
    bench: '"docker.sock" anywhere in the mounts: / and /run as a whole pass, WARN for /srv/docker.sock.txt',
    ours: 'every mount that holds the socket of this daemon',
  },
  {
    checks: '7.1',
    bench: 'counts leaders, of which there is always one: PASS',
    ours: 'counts managers: an odd number, more than one where there are workers',
  },
  {
    checks: '7.1 to 7.9 without a swarm, 2.16 in one; 4.6, 4.7, 4.9 without images; 5 without a container',
    bench: 'PASS; 5 is left out',
    ours: 'not applicable, with that reason; neither counts for the score',
  },
  {
    checks: '2.1, 5.23, 7.7',
    bench: 'NOTE or INFO, and PASS for certificates of 2 days',
    ours: '2.1 is a finding of severity info; a privileged exec that runs now is one, past ones and lifetimes are manual',
  },
  {
    checks: "all, while Docker's API does not answer",
    bench: 'ends at once',
    ours: 'what needs no API is judged, config.5 is critical, and there is no score',
  },
  {
    checks: 'only there',
    bench: "8 (Docker Enterprise, which is gone), c (not the benchmark's, and run on request only)",
    ours: 'every number of the benchmark is in both',
  },
  {
    checks: 'only here',
    bench: 'none of it',
    ours: 'tls, config, ssh, file and container: what the benchmark leaves out; compose and dockerfile',
  },
];

/** Every difference in the last parallel run, on a fresh host, after setup, after harden and with everything wrong, for each generation. */
type Seen = {
  readonly checks: string;
  readonly verdicts: string;
  readonly hosts: string;
  /** The reason why ours is right. */
  readonly why: string;
};

const SEEN: readonly Seen[] = [
  {
    checks: '1.1.2',
    verdicts: 'INFO, pass or finding',
    hosts: 'all; a finding on the insecure ones',
    why: 'whether the docker group has members can be seen: none, or ops',
  },
  {
    checks: '1.1.3 to 1.1.18',
    verdicts: 'WARN, not applicable',
    hosts: 'all, where the file is there',
    why: 'these hosts are containers: nothing can be audited there, and no rule would change that',
  },
  {
    checks: '1.2.2',
    verdicts: 'PASS, finding',
    hosts: 'all',
    why: 'Docker has not fixed anything in 20.10 since 2023; 9 known vulnerabilities of 26.1.5 and one of 28.5.2 are fixed in later versions',
  },
  { checks: '2.1', verdicts: 'NOTE, finding (info)', hosts: 'all', why: 'dockerd runs as root on all of them' },
  {
    checks: '2.2',
    verdicts: 'PASS, finding',
    hosts: 'after harden',
    why: 'icc=false is in daemon.json, and dockerd keeps its bridge as it was until its first start without a container',
  },
  {
    checks: '2.3',
    verdicts: 'PASS, finding',
    hosts: 'insecure',
    why: '"debug": true makes the level debug',
  },
  {
    checks: '2.8',
    verdicts: 'INFO, pass or finding',
    hosts: 'pass after setup and harden; a finding on the insecure ones',
    why: 'dockerd listens on a port of a socket unit, with mutual TLS, or without: a probe from outside got in',
  },
  {
    checks: '2.9',
    verdicts: 'INFO, finding (low)',
    hosts: 'fresh, after setup, insecure',
    why: 'no default limit is set',
  },
  {
    checks: '2.11',
    verdicts: 'PASS, finding',
    hosts: 'insecure',
    why: 'cgroup-parent is set in daemon.json',
  },
  {
    checks: '2.18',
    verdicts: 'INFO, pass or finding',
    hosts: 'Docker 26.1 and 28.5; a finding where the profile is unconfined',
    why: 'the built-in profile is in use, or none is',
  },
  {
    checks: '2.19',
    verdicts: 'INFO without a number, pass or finding',
    hosts: 'all; a finding on the insecure ones',
    why: 'dockerd says itself whether experimental features are on',
  },
  {
    checks: '3.9, 3.10',
    verdicts: 'INFO, finding',
    hosts: 'insecure',
    why: 'the CA file that daemon.json names belongs to pat, with mode 0666',
  },
  {
    checks: '4.6, 4.7, 4.9',
    verdicts: 'PASS, not applicable',
    hosts: 'fresh',
    why: 'there is no image to judge',
  },
  {
    checks: '4.7, 4.9',
    verdicts: 'INFO, finding',
    hosts: 'insecure',
    why: 'an image was made with an update of its own layer, and with ADD',
  },
  {
    checks: '5.2, 5.3',
    verdicts: 'WARN or PASS, not applicable',
    hosts: 'all with a container',
    why: 'neither AppArmor nor SELinux is on in this kernel',
  },
  {
    checks: '5.9',
    verdicts: 'WARN, manual',
    hosts: 'insecure',
    why: 'which ports are needed only a person knows',
  },
  { checks: '5.15', verdicts: 'PASS, finding', hosts: 'insecure', why: 'the policy is always, without an end' },
  {
    checks: '5.19',
    verdicts: 'INFO, pass',
    hosts: 'after setup',
    why: 'the container has no limits of its own',
  },
  {
    checks: '5.23',
    verdicts: 'NOTE, finding',
    hosts: 'insecure',
    why: 'a docker exec --privileged is running',
  },
  {
    checks: '5.30',
    verdicts: 'INFO, finding (low)',
    hosts: 'all with a container',
    why: 'the container is on the default bridge',
  },
  { checks: '7.1 to 7.9', verdicts: 'PASS, not applicable', hosts: 'all', why: 'there is no swarm to judge' },
];

/** Number of equal verdicts, out of all checks present in both, by Docker 20.10, 26.1 and 28.5. */
const AGREE: readonly (readonly [string, string])[] = [
  ['fresh', '86, 85, 87'],
  ['after `setup`, with a container', '84, 83, 85'],
  ['after `harden`, with a container that ran meanwhile', '84, 83, 85'],
  ['deliberately insecure', '75, 73, 75'],
];

export function renderBenchDoc(): readonly string[] {
  return [
    '## Comparison with docker-bench-security',
    '',
    'Both were run on the same hosts: Docker 20.10, 26.1 and 28.5, fresh, after `setup`, after `harden`, and deliberately insecure. About a hundred variations of flags,',
    'daemon.json, modes, audit rules, images and containers followed, with and without jq on the host. Each row is a difference in which we consider our verdict',
    'correct. Checks without a row had the same verdict in both. Where docker-bench-security was right, the audit was fixed.',
    '',
    'The rows of 1.1.1, 5.12 and 7.1, and the statements about -u, keys and the 45 characters, come from its source and were not observed. The version is 1.6.0',
    '(CIS 1.6), with section 5 as in a fork. Numbers here are those of CIS 1.8: its 2.7 to 2.18 are 2.8 to 2.19 in this table. `node scripts/compare-dbs.mjs DIR --states` repeats the comparison with your checkout of it.',
    '',
    '| checks | docker-bench-security | here |',
    '|---|---|---|',
    ...DIFFERENCES.map(({ checks, bench, ours }) => `| ${[checks, bench, ours].map(cell).join(' | ')} |`),
    '',
    '### Side by side',
    '',
    'The last run: docker-bench-security at ff26d67 (2024-10-21, its newest), without jq, on 2026-12-01. Of its 117 numbers agree on Docker 20.10, 26.1 and 28.5:',
    '',
    '| state of the host | verdicts that agree |',
    '|---|---|',
    ...AGREE.map(([state, count]) => `| ${state} | ${count} |`),
    '',
    'These are all the differences (its verdict, ours). In each of them ours is right:',
    '',
    '| checks | verdicts | hosts | why |',
    '|---|---|---|---|',
    ...SEEN.map(({ checks, verdicts, hosts, why }) => `| ${[checks, verdicts, hosts, why].map(cell).join(' | ')} |`),
  ];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('*', '\\*');
}
