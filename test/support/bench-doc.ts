/**
 * Owns the part of docs/checks.md that lays our verdicts beside those of docker-bench-security: where the two differ on the same host,
 * and which one to believe.
 */

type Difference = {
  readonly checks: string;
  /** What docker-bench-security does. */
  readonly bench: string;
  /** What we do, and why that is right. */
  readonly ours: string;
};

const DIFFERENCES: readonly Difference[] = [
  {
    checks: 'all of 2 and 3.9 to 3.14',
    bench:
      'takes the command line of the newest process that has "dockerd" anywhere in it (pgrep -f -n): an editor, a container, a rootless daemon',
    ours: 'the process that docker.pid names, else a dockerd outside of containers',
  },
  {
    checks: '2.3, 2.5',
    bench:
      'WARN wherever jq is installed and daemon.json lacks the key: jq prints `null`, which is neither empty nor info nor []',
    ours: 'daemon.json is parsed; a key that is not there is the default. `"debug": true` counts for 2.3, which the bench does not see',
  },
  {
    checks: '2.8, 2.9, 2.12',
    bench:
      'PASS wherever jq is installed and the key is missing (`null` is not `""` or `[]`); 2.9 passes for `"userns-remap": ""` without jq as well; 2.8 looks for `default-ulimit`, and the key is `default-ulimits`',
    ours: 'a finding: user namespaces are off, no plugin decides, no limits are set',
  },
  {
    checks: '3.9 to 3.14',
    bench:
      'INFO, never judged, wherever jq is installed and the paths are flags: the `null` of daemon.json replaces the path; also for flags with a space (`--tlskey /path`)',
    ours: 'flags with `=` or a space, daemon.json, and the defaults of dockerd',
  },
  {
    checks: '2.7',
    bench:
      'reads flags only: a port of a socket unit (`-H fd://`) is "not listening on TCP", `--tlsverify=false` passes, two TCP addresses make its `[` fail, `--tls` alone is called unverified though dockerd verifies then too (seen on 26.1), and TLS in daemon.json passes before anybody restarted',
    ours: 'flags, daemon.json, socket units and the sockets that dockerd holds; who gets in is tried from outside (tls.1 to tls.4)',
  },
  {
    checks: '2.10',
    bench: 'never sees cgroup-parent in daemon.json (`grep -v ""` matches nothing)',
    ours: 'sees it in both places',
  },
  {
    checks: '2.13',
    bench: 'PASS for every driver but json-file, so for local and none',
    ours: 'a finding unless the driver sends logs away, or is journald with systemd-journal-upload',
  },
  {
    checks: '2.14, 2.15',
    bench: 'PASS for `--no-new-privileges=false`, and for `--live-restore=false`',
    ours: 'the value counts',
  },
  {
    checks: '2.18',
    bench: 'INFO "deprecated" from 19.04 on, also where `"experimental": true` is set',
    ours: 'a finding where it is set',
  },
  {
    checks: '1.1.1',
    bench: 'WARN unless the data folder itself is a mount point, also for /data/docker on its own /data',
    ours: 'asks whether the file system is another one than that of the host',
  },
  {
    checks: '1.1.2',
    bench:
      'INFO with a list; with -u a WARN for whom it does not know. A trusted "ann" makes "an" trusted; primary groups are not seen',
    ours: 'a finding for each member, primary groups included; accepted ones go into a baseline',
  },
  {
    checks: '1.1.3 to 1.1.18',
    bench:
      'PASS when a loaded rule has the path somewhere in it, also one for reading only, for /etc/docker-old, or one that no file keeps over a reboot; WARN where a watched folder above covers it, and where the kernel has no auditing',
    ours: 'the rule has to cover the path, report writes, be loaded and stand in a file; without auditing in the kernel it does not apply',
  },
  {
    checks: '1.1.3, 1.1.14 to 1.1.18',
    bench: 'looks at /usr/bin only: with Debian’s docker.io (/usr/sbin/dockerd) 1.1.3 can never pass honestly',
    ours: 'the binary that runs',
  },
  {
    checks: '1.1.8',
    bench: 'looks for a unit file containerd.socket, which nobody has: INFO',
    ours: '/run/containerd/containerd.sock',
  },
  {
    checks: '1.2.2',
    bench: 'PASS whatever the version: both of its branches pass',
    ours: 'a finding for old versions',
  },
  {
    checks: '3.2, 3.4, 3.6 … (modes)',
    bench: 'compares octal modes as decimal numbers: 0606, 0577 and 0626 are less than 644 and pass',
    ours: 'compares bits: no right that is not in the wanted mode',
  },
  {
    checks: '3.1 to 3.4',
    bench: 'the unit file in /etc or /lib; drop-ins are not looked at',
    ours: 'the unit file in force; drop-ins and the folders of TLS files are file.1 to file.4',
  },
  {
    checks: '3.7, 3.8',
    bench: 'files called *.crt and their owner; keys and groups are not seen',
    ours: 'every file below certs.d, with group; keys in tls.9',
  },
  {
    checks: '3.15',
    bench: 'WARN for root:root, which is stricter than root:docker',
    ours: 'root:root passes',
  },
  {
    checks: '4.1',
    bench: 'PASS for `0:0`, `root:root`, `00`; INFO without a container',
    ours: 'uid 0 however it is written',
  },
  {
    checks: '4.5',
    bench: 'the environment of the shell in which the bench runs',
    ours: '/etc/environment, profiles and root’s shell: what people get who log in',
  },
  {
    checks: '4.7, 4.9',
    bench: '"update" or "ADD" anywhere in a history: `COPY update.sh`, `LABEL ADDRESS`',
    ours: 'instructions: an update that stands alone, an ADD that is not the root file system',
  },
  {
    checks: '5.2, 5.3',
    bench:
      'WARN where the kernel has no AppArmor or SELinux; 5.3 passes for any security option, no-new-privileges included',
    ours: 'does not apply without them; 5.3 asks for labels',
  },
  {
    checks: '5.6',
    bench: 'eight folders by exact name: /etc/ssh, /var/run, /root, /home and /var/lib/docker pass',
    ours: 'what lies below and above counts as well, sockets of containerd and podman, and secrets that are only read',
  },
  {
    checks: '5.7',
    bench: 'runs `ps` in each container: changes the host, and passes where the image has no ps',
    ours: 'looks from outside, by control group',
  },
  {
    checks: '5.12',
    bench: 'CPU shares only: WARN for --cpus 1',
    ours: 'shares, --cpus and quota',
  },
  {
    checks: '5.14',
    bench: '0.0.0.0 of the first column; [::] is not seen',
    ours: 'both',
  },
  {
    checks: '5.15',
    bench: 'always only',
    ours: 'unless-stopped and on-failure without an end as well',
  },
  {
    checks: '5.26',
    bench:
      'the container’s own option, by name: WARN under a daemon that sets it for all, PASS for no-new-privileges=false',
    ours: 'the bit of the running process',
  },
  {
    checks: '5.32',
    bench: '"docker.sock" in the mounts: /run as a whole passes',
    ours: 'every mount that holds the socket of this daemon',
  },
  {
    checks: '7.2',
    bench: 'counts leaders, of which there is always one: PASS',
    ours: 'counts managers: an odd number, more than one where there are workers',
  },
  {
    checks: '7.1 to 7.9 without a swarm, 5 without a container',
    bench: '7: PASS "swarm mode not enabled"; 5: left out',
    ours: 'not applicable, with that reason; neither counts for the score',
  },
  {
    checks: '2.1, 5.9, 5.18, 5.19, 5.23, 5.28',
    bench: 'NOTE or INFO, 5.18 and 5.19 by what is there',
    ours: 'a person judges, with the ports, devices, limits and tags listed; 5.23 is a finding for a privileged exec that runs now',
  },
];

export function renderBenchDoc(): readonly string[] {
  return [
    '## Beside docker-bench-security',
    '',
    'Where the two differ on the same host, as its source (its repository, tests/ and functions/) has it. It was compared by reading and not by running: no',
    'package holds it, and the lab has no way out. Sections 1, 2 and 4 were read whole, 3 up to 3.16; of 5 and 7 there was an older version only, so a row about',
    'those may be about that one. Each row is a case where we believe ours, and why. Where no row stands for a check, no difference was found.',
    '',
    '| checks | docker-bench-security | here |',
    '|---|---|---|',
    ...DIFFERENCES.map(({ checks, bench, ours }) => `| ${[checks, bench, ours].map(cell).join(' | ')} |`),
  ];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('*', '\\*');
}
