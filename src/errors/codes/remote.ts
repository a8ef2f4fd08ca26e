/** Error codes of remote hosts: SSH, sudo, host, daemon, change and rollback, audit. */

export const SSH = {
  E_SSH_NAME: [4, 'No address is known for the host.', 'getent hosts NAME'],
  E_SSH_REFUSED: [4, 'Nothing listens on the SSH port, or it hangs up.', 'ssh -v HOST'],
  E_SSH_UNREACHABLE: [4, 'There is no route to the host.', 'ssh -v HOST'],
  E_SSH_TIMEOUT: [4, 'The host did not answer in time.', 'ssh -v HOST'],
  E_SSH_LOST: [4, 'The SSH connection broke.', 'Run the command again.'],
  E_SSH_AUTH: [4, 'The host accepted none of the keys or passwords.', 'ssh-copy-id HOST'],
  // <!-- openssh -->
  E_SSH_NO_ALGORITHM: [4, 'The host and this machine share no SSH algorithm.', 'ssh -v HOST'],
  // <!-- /openssh -->
  E_SSH_HOST_KEY_UNKNOWN: [4, "The host's key is not in known_hosts.", 'Compare it, then pass --host-key accept-new.'],
  E_SSH_HOST_KEY_CHANGED: [
    4,
    "The host's key is not the recorded one: possible man-in-the-middle attack.",
    'Find out why, then ssh-keygen -R HOST.',
  ],
  E_SSH_HOST_KEY_PIN: [
    4,
    "The host's key is not the one that --host-key<!-- fleet -->, the fleet file<!-- /fleet --> or the host's record names.",
    'Compare the fingerprints.',
  ],
  E_SSH_OTHER_HOST: [
    4,
    'A later connection of the run reached another host than the first one: it showed another key.',
    'Compare the keys; log in by an address of one host.',
  ],
  E_SSH_HOST_KEY_REVOKED: [4, "The host's key is revoked in known_hosts.", 'Give the host a new key.'],
  E_SSH_KNOWN_HOSTS_FILE: [2, 'A known_hosts file cannot be read or written.', 'ls -l ~/.ssh/known_hosts'],
  E_SSH_KEY_FILE: [2, 'A private key for SSH is missing or cannot be read.', 'ls -l KEYFILE'],
  E_SSH_KEY_PASSPHRASE: [2, 'The passphrase of an SSH key is missing or wrong.', 'ssh-add KEYFILE'],
  E_SSH_CONFIG: [2, 'The ssh configuration cannot be used.', 'ssh -G HOST'],
  E_SSH_TRANSPORT: [2, '--transport ssh2 cannot do what the ssh config or a key needs.', 'Pass --transport openssh.'],
  // <!-- openssh -->
  E_SSH_OPENSSH_OLD: [2, 'The openssh transport needs a newer OpenSSH.', 'Update OpenSSH.'],
  // <!-- /openssh -->
  E_SSH_NO_SHELL: [4, 'The login works, but the host runs no script of docker-tls.', 'ssh HOST echo ok'],
  E_SSH_FORWARDING: [
    4,
    'sshd does not forward connections, which jump hosts, `--reach ssh` and tunnels need.',
    'sshd -T | grep -i -e forwarding -e permitopen',
  ],
  E_SSH_OUTPUT: [4, 'The host printed far more than any answer has.', 'ssh HOST true'],
  E_SUDO_MISSING: [4, 'The user is not root and the host has no sudo.', 'Log in as root, or install sudo.'],
  E_SUDO_PASSWORD: [4, 'sudo asks for a password.', 'Pass --ask-sudo-password.'],
  E_SUDO_REFUSED: [4, 'sudo does not let this user become root, or rejected the password.', 'ssh -t HOST sudo -l'],
} as const;

export const HOST = {
  E_FACTS: [4, 'The host did not answer the questions about its state to the end.', 'Run the command again.'],
  E_HOST_PROGRAM: [4, 'A basic program is missing on the host.', 'Install the package that it names.'],
  E_READ_ONLY: [4, 'A file system of the host that has to be written is mounted read-only.', 'findmnt'],
  E_MOUNTED_FILE: [4, 'A file that has to be replaced is a mount point.', 'findmnt'],
  E_NO_SYSTEMD: [
    4,
    'The host has no systemd<!-- init -->, OpenRC or sysvinit<!-- /init -->.',
    'docs/hosts.md, "Kinds of hosts"',
  ],
  E_SYSTEMD_OLD: [4, 'systemd on the host is too old for the rollback.', 'Upgrade the host.'],
  // <!-- audit -->
  E_PACKAGES: [4, 'apt cannot install a package of `harden --install`, or only by changing others.', 'apt-get update'],
  // <!-- /audit -->
  E_CLOCK: [
    4,
    'The clock of the host, or of this computer, is wrong, so what is signed now would not be valid.',
    'timedatectl set-ntp true',
  ],
  E_STATE_DIRECTORY: [4, "Other accounts can write docker-tls's directory on the host.", 'ls -ld /var/lib/docker-tls'],
  E_DISK_FULL: [4, "The host's disk is full, or nearly.", 'df -h'],
  E_FIREWALL: [4, "The host's firewall does not accept connections to the TLS port.", 'Run the command that it names.'],
  E_PORT_TAKEN: [
    4,
    'Another program listens on the TLS port.',
    'Choose another one: `docker-tls setup HOST --port N`<!-- fleet -->, or `port: N` in the fleet file<!-- /fleet -->.',
  ],
  E_ADDRESS: [
    4,
    'The address that clients would dial does not resolve here, or not where ssh leads on.',
    'Pass --address NAME.',
  ],
  // <!-- tunnel -->
  E_TUNNEL: [4, 'A tunnel cannot be opened: here, or because the host rejects the client.', 'docker-tls status HOST'],
  // <!-- /tunnel -->
  E_PORT_FILTERED: [
    4,
    'A firewall between here and the host drops connections to the TLS port.',
    'Open the port, or pass --port N.',
  ],
  E_OTHER_CLIENTS: [
    4,
    'Clients of a CA that the daemon accepts now would be rejected.',
    'Keep that CA: `docker-tls setup HOST --accept-ca existing`<!-- fleet -->, or `accept-ca: existing` in the fleet file<!-- /fleet -->.',
  ],
  // <!-- host-csr -->
  E_HOST_KEY: [4, 'The host could not generate its private key.', 'docker-tls setup HOST --keys store'],
  // <!-- /host-csr -->
  E_HOST_LOCKED: [4, 'Another run is changing this host.', 'Wait until its lock expires.'],
  E_HOST_SCHEMA: [4, 'The host was changed by a newer docker-tls.', 'Install that version.'],
  E_HOST_NEWER: [4, 'The host was changed from a newer state of the shared store.', 'docker-tls store restore'],
  E_HOST_FORKED: [
    4,
    'The host was changed from a state that is not in the history of the shared store.',
    'docker-tls store check',
  ],
  E_HOST_STATE: [4, "docker-tls's state.json on the host is damaged.", 'cat /var/lib/docker-tls/state.json'],
  E_HOST_MANAGED: [
    4,
    'The host is managed from another store.',
    'Pass --home DIR<!-- bundles -->, or use docker-tls client request<!-- /bundles -->.',
  ],
  // <!-- tools -->
  E_BUTANE: [2, 'A host cannot be written as a Butane file.', 'docs/hosts.md, "Hosts configured at first boot"'],
  // <!-- /tools -->
  E_NOT_SET_UP: [2, 'docker-tls has not set up this host.', 'docker-tls setup HOST'],
  E_ROLLED_BACK: [2, 'The current generation was itself made by a rollback.', 'docker-tls rollback HOST --dry-run'],
  E_NO_GENERATION: [2, 'The generation to return to is not on the host.', 'docker-tls remove HOST'],
  E_ACCEPTS_REVOKED: [
    4,
    'The earlier generation would accept a revoked client or an unknown CA.',
    'docker-tls setup HOST',
  ],
  E_OPENS_PLAIN_TCP: [
    4,
    'The original configuration opens a TCP port that accepts every client.',
    'docker-tls remove HOST --allow-plain-tcp',
  ],
  E_TLS: [4, 'The daemon could not be reached over TLS.', 'ssh HOST systemctl status docker'],
} as const;

export const DAEMON = {
  E_NO_DOCKER: [4, 'Docker is not installed on the host.', 'Install it: https://docs.docker.com/engine/install/'],
  E_DOCKER_SNAP: [4, 'Docker is installed as a snap.', 'Install it as a package.'],
  E_VENDOR_SYSTEM: [4, "A vendor's system configures dockerd itself.", 'docs/hosts.md, "Systems of vendors"'],
  E_DOCKER_MASKED: [4, 'docker.service is masked.', 'systemctl unmask docker.service'],
  E_DOCKER_DOWN: [4, 'docker.service had failed before any change.', 'journalctl -u docker.service'],
  E_DOCKER_BUSY: [4, 'docker.service is starting or stopping and does not finish.', 'journalctl -u docker.service'],
  E_ROOTLESS: [4, 'A rootless Docker answers on the socket.', 'ls -l /var/run/docker.sock'],
  // <!-- audit -->
  E_HARDEN_ROOTLESS: [2, 'harden changes files of root, and the host runs a rootless Docker.', 'docker-tls audit HOST'],
  // <!-- /audit -->
  E_HOST_KIND: [
    4,
    'The host is of a kind that this build of docker-tls cannot manage.',
    'Install a docker-tls with all features.',
  ],
  // <!-- rootless -->
  E_ROOTLESS_USER: [
    4,
    'root logs in, and a rootless Docker is of another user.',
    'docker-tls setup USER@HOST --rootless',
  ],
  E_LINGER: [
    4,
    'A rootless Docker ends with the last login of its user, and so would the rollback.',
    'loginctl enable-linger USER',
  ],
  E_HOME_NAME: [
    4,
    "The home directory of a rootless Docker's user has a name that a unit cannot hold.",
    'usermod --move-home --home /home/NAME USER',
  ],
  // <!-- /rootless -->
  E_CONTAINERS: [
    4,
    'Containers would stop: a rootless Docker takes them along when it restarts.',
    '--containers may-stop',
  ],
  // <!-- podman -->
  E_PODMAN_OLD: [4, 'Podman is too old to ask clients for a certificate.', 'Install Podman 5.7 or later, or Docker.'],
  E_PODMAN_LISTEN: [4, 'Podman can listen on one address only.', 'Name one with --listen, or none.'],
  // <!-- /podman -->
  E_NO_FEATURE: [
    4,
    'A host or a client has something that this build of docker-tls cannot make, keep or restore.',
    'Install a docker-tls with all features.',
  ],
  E_NO_LISTENER: [
    4,
    'Another service accepts clients on the host, and this build of docker-tls cannot manage it.',
    'Install a docker-tls with all features.',
  ],
  // <!-- haproxy -->
  E_LISTENER: [4, 'This host cannot have HAProxy as its listener.', '--listener dockerd'],
  E_HAPROXY_MISSING: [4, 'HAProxy is not installed on the host.', 'docker-tls setup HOST --listener haproxy --install'],
  E_HAPROXY_OLD: [4, 'HAProxy on the host is too old.', 'Install HAProxy 2.6 or later.'],
  // <!-- /haproxy -->
  E_UNIT_COMMAND: [
    4,
    'The unit or the init script does not run dockerd in a way that can be changed.',
    'systemctl cat docker.service',
  ],
  E_UNIT_VARIABLE: [
    4,
    'A variable sets listening or TLS flags where they cannot be taken out.',
    'systemctl edit docker.service',
  ],
  E_UNIT_SETTING: [
    4,
    'A setting of docker.service keeps dockerd from the TLS port, or from the files that docker-tls puts on the host.',
    'systemctl cat docker.service',
  ],
  E_DOCKER_SILENT: [
    4,
    'dockerd runs but answers on no socket, so docker-tls cannot find out whether containers survive a restart.',
    'systemctl status docker.service docker.socket',
  ],
  E_UNIT_NEEDS: [
    4,
    'docker.service could not be stopped, or not be started again: it needs a unit, a program or a condition.',
    'systemctl cat docker.service; systemctl list-dependencies docker.service',
  ],
  E_UNIT_UNREAD: [4, 'Unit files were changed but not loaded.', 'systemctl daemon-reload'],
  E_SETTINGS_UNREAD: [
    4,
    'The running daemon has not read some of its settings, and may not start with them.',
    'systemctl restart docker.service',
  ],
  E_DAEMON_JSON: [4, 'daemon.json is not valid.', 'python3 -m json.tool /etc/docker/daemon.json'],
  E_CONFIG_FILE: [4, "The daemon's configuration file cannot be read or kept.", 'ls -l /etc/docker/daemon.json'],
  E_CONFLICT: [4, 'A setting is given both as a flag and in daemon.json.', 'Remove one of the two.'],
  E_LIVE_RESTORE: [4, 'live-restore is off, so containers would stop.', 'Pass --containers may-stop.'],
  E_SWARM: [4, 'The host is in swarm mode, so containers would stop.', 'Pass --containers may-stop.'],
} as const;

export const CHANGE = {
  E_HOST_CHANGED: [4, 'The host was changed after the plan was made; nothing was applied.', 'Run the command again.'],
  E_STALE_CHANGE: [
    4,
    'Another change of the host has just ended, or was never confirmed and has been rolled back.',
    'Run the command again.',
  ],
  E_DAEMON_CONFIG: [4, 'dockerd rejects the new configuration; nothing was applied.', 'Fix what the details name.'],
  E_DAEMON_START: [
    5,
    'The daemon did not start with the new configuration; the host was rolled back.',
    'journalctl -u docker.service',
  ],
  E_CONTAINERS_STOPPED: [
    5,
    'Containers that ran before the change were stopped by it; the configuration was rolled back.',
    'docker ps -a',
  ],
  E_APPLY: [4, 'The change failed: it had not begun, or (exit status 5) was rolled back.', 'journalctl -t docker-tls'],
  E_UNANSWERED: [5, 'The host did not report how the change ended.', 'Run the command that the error gives.'],
  E_NOT_CONFIRMED: [
    5,
    'The change was not confirmed in time, or the host could not keep it, so it was rolled back.',
    'Run the command again, with a longer --confirm-within where time was short.',
  ],
  E_VERIFY: [
    7,
    'A connection was accepted or rejected that should not have been; a change is rolled back.',
    'ssh HOST systemctl status docker',
  ],
  E_ROLLBACK: [
    6,
    'Rolling back failed: a file could not be put back, or Docker, Podman or sshd did not start as before the change.',
    'Repair the cause in the log, and start the service: the host overwrites none of your changes, and ends the rollback.',
  ],
} as const;

export const AUDIT = {
  // <!-- audit -->
  E_AUDIT_FACTS: [4, "The host did not answer the audit's questions to the end.", 'ssh HOST true'],
  E_AUDIT_FILE: [2, 'A file to audit cannot be read.', 'ls -l FILE'],
  E_AUDIT_OUT: [2, 'The report cannot be written.', 'ls -ld DIRECTORY'],
  E_AUDIT_REPORT: [2, 'The file to compare with is not a report.', 'docker-tls audit HOST --json > report.json'],
  E_AUDIT_SIGNATURE: [
    3,
    'The signature of a report does not hold.',
    'ssh-keygen -Y check-novalidate -n docker-tls-audit -s FILE.sig < FILE',
  ],
  E_AUDIT_SIGNER: [2, 'A key cannot sign a report.', 'ssh-keygen -t ed25519 -f KEY'],
  E_BASELINE: [2, 'The baseline file is wrong.', 'Correct the lines named.'],
  E_COMPOSE: [2, 'A Compose file cannot be read.', 'docker compose config'],
  E_DOCKERFILE: [2, 'A Dockerfile cannot be read.', 'docker build --check .'],
  // <!-- /audit -->
} as const;
