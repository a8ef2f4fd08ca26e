/** Unusual hosts: custom login shells, accounts, sshd and sudo. */

import { put, type StrangeCase } from './case.ts';

const sshd = (line: string): string =>
  `${put('/etc/ssh/sshd_config.d/00-site.conf', line)}systemctl reload ssh; sleep 0.5`;
const RELOAD_SSHD = 'rm -f /etc/ssh/sshd_config.d/00-site.conf; systemctl reload ssh; sleep 0.5';
const sudoers = (line: string): string => `${put('/etc/sudoers.d/site', line)}chmod 440 /etc/sudoers.d/site`;
const shell = (path: string): Pick<StrangeCase, 'make' | 'end'> => ({
  make: `usermod -s ${path} root`,
  end: 'usermod -s /bin/bash root',
});
const rc = (line: string): Pick<StrangeCase, 'make' | 'end'> => ({
  make: `cp -a /root/.bashrc /root/bashrc.away; sed -i '1i ${line}' /root/.bashrc`,
  end: 'mv /root/bashrc.away /root/.bashrc',
});
const KEYS_ELSEWHERE =
  'mkdir -p /etc/ssh/keys; cp /home/ops/.ssh/authorized_keys /etc/ssh/keys/ops; chmod 755 /etc/ssh/keys; chmod 644 /etc/ssh/keys/ops';

export const ACCOUNTS: readonly StrangeCase[] = [
  {
    name: 'the login shell zsh, with files that print and change options',
    make: `echo 'echo hello; setopt noglob shwordsplit nullglob ksharrays; alias -g sh=false' >/root/.zshenv; usermod -s /usr/bin/zsh root`,
    end: 'usermod -s /bin/bash root; rm /root/.zshenv',
    on20: 'left out',
  },
  {
    name: 'the login shell tcsh, with files that print',
    make: `printf 'echo hello\\nset noglob\\nset noclobber\\nalias sh false\\n' >/root/.cshrc; usermod -s /bin/tcsh root`,
    end: 'usermod -s /bin/bash root; rm /root/.cshrc',
    on20: 'left out',
  },
  { name: 'the login shell ksh', ...shell('/bin/ksh93'), on20: 'left out' },
  { name: 'the login shell python3', ...shell('/usr/bin/python3'), code: 'E_SSH_NO_SHELL' },
  {
    name: 'the login shell git-shell, or another that takes some commands only',
    make: `printf '#!/bin/sh\\necho "fatal: unrecognized command" >&2\\nexit 128\\n' >/bin/site-shell; chmod 755 /bin/site-shell; usermod -s /bin/site-shell root`,
    end: 'usermod -s /bin/bash root; rm /bin/site-shell',
    code: 'E_SSH_NO_SHELL',
  },
  { name: 'a ~/.bashrc with umask 077', ...rc('umask 077') },
  { name: 'a ~/.bashrc that prints 500 kB', ...rc('head -c 500000 /dev/zero | tr "\\\\0" x') },
  { name: 'a ~/.bashrc that prints NUL bytes', ...rc('head -c 50000 /dev/zero; head -c 5000 /dev/urandom') },
  { name: 'a ~/.bashrc that sends standard output away', ...rc('exec >/dev/null'), code: 'E_SSH_NO_SHELL' },
  { name: 'a ~/.bashrc that sends standard error away', ...rc('exec 2>/dev/null') },
  { name: 'a ~/.bashrc with set -e and a trap on EXIT', ...rc('set -e; trap "echo bye" EXIT') },
  { name: 'a ~/.bashrc with a ulimit of 16 files', ...rc('ulimit -n 16') },
  { name: 'a ~/.bashrc that leaves a background job', ...rc('sleep 30 &') },
  { name: 'a ~/.bashrc that ignores signals', ...rc('trap "" TERM HUP PIPE INT CHLD') },
  { name: 'a ~/.ssh/rc that prints', make: 'echo "echo hello" >/root/.ssh/rc', end: 'rm /root/.ssh/rc' },
  {
    name: 'a ~/.ssh/rc that reads standard input',
    make: 'echo "cat >/dev/null" >/root/.ssh/rc',
    end: 'rm /root/.ssh/rc',
  },
  {
    name: 'a home that is not there',
    make: `${KEYS_ELSEWHERE}; mv /home/ops /home/ops.away; ${sshd('AuthorizedKeysFile /etc/ssh/keys/%u .ssh/authorized_keys')}`,
    end: `mv /home/ops.away /home/ops; ${RELOAD_SSHD}`,
    user: 'ops',
  },
  {
    name: 'a home without any permission',
    make: `${KEYS_ELSEWHERE}; chmod 0 /home/ops; ${sshd('AuthorizedKeysFile /etc/ssh/keys/%u .ssh/authorized_keys')}`,
    end: `chmod 700 /home/ops; ${RELOAD_SSHD}`,
    user: 'ops',
  },
  {
    name: 'a second account with uid 0',
    make: 'sed -i "s/^ops:x:[0-9]*:[0-9]*:/ops:x:0:0:/" /etc/passwd; chown -R 0:0 /home/ops',
    end: 'cp /root/etc/passwd /etc/passwd; chown -R ops:ops /home/ops',
    user: 'ops',
  },
  {
    name: 'a password that has to be changed',
    make: 'chage -d 0 ops',
    end: 'chage -d 20000 ops',
    user: 'ops',
    code: 'E_SSH_NO_SHELL',
  },
  {
    name: 'an account that has expired',
    make: 'chage -E 1 ops',
    end: 'chage -E -1 ops',
    user: 'ops',
    code: 'E_SSH_AUTH',
  },
  { name: 'an account that is locked (`passwd -l`)', make: 'passwd -q -l root', end: 'usermod -p "*" root' },
  {
    name: 'one login at a time (maxlogins)',
    make: put('/etc/security/limits.d/site.conf', 'ops hard maxlogins 1'),
    user: 'ops',
  },
  {
    name: 'authorized_keys with `restrict`',
    make: 'cp -a /root/.ssh/authorized_keys /root/keys.away; sed -i "s/^/restrict /" /root/.ssh/authorized_keys',
    end: 'mv /root/keys.away /root/.ssh/authorized_keys',
  },
  {
    name: 'authorized_keys with `command=`',
    make: 'cp -a /root/.ssh/authorized_keys /root/keys.away; sed -i "s/^/command=\\"uptime\\" /" /root/.ssh/authorized_keys',
    end: 'mv /root/keys.away /root/.ssh/authorized_keys',
    code: 'E_SSH_NO_SHELL',
  },
  {
    name: 'sshd: a chroot',
    make: `mkdir -p /srv/jail; ${sshd('ChrootDirectory /srv/jail')}`,
    end: `rmdir /srv/jail; ${RELOAD_SSHD}`,
    code: 'E_SSH_NO_SHELL',
  },
  {
    name: 'sshd: files only (ForceCommand internal-sftp)',
    make: sshd('ForceCommand internal-sftp'),
    end: RELOAD_SSHD,
    code: 'E_SSH_NO_SHELL',
  },
  {
    name: 'sshd: the login is not among AllowUsers',
    make: sshd('AllowUsers pat'),
    end: RELOAD_SSHD,
    code: 'E_SSH_AUTH',
  },
  {
    name: 'sshd: post-quantum key exchange only',
    make: sshd('KexAlgorithms sntrup761x25519-sha512@openssh.com'),
    end: RELOAD_SSHD,
    on20: 'left out',
  },
  {
    name: 'sshd: one cipher only (chacha20-poly1305)',
    make: sshd('Ciphers chacha20-poly1305@openssh.com\nMACs umac-128-etm@openssh.com'),
    end: RELOAD_SSHD,
  },
  {
    name: 'sshd: MaxStartups 1, LoginGraceTime 3, new keys after every 16 kB',
    make: sshd('MaxStartups 1:100:1\nLoginGraceTime 3\nRekeyLimit 16K'),
    end: RELOAD_SSHD,
  },
  { name: 'sshd without PAM', make: sshd('UsePAM no'), end: RELOAD_SSHD },
  {
    name: 'sshd: clients that say nothing for a second are cut (ClientAliveInterval)',
    make: sshd('ClientAliveInterval 1\nClientAliveCountMax 1'),
    end: RELOAD_SSHD,
  },
  {
    name: 'sudo that lectures, insults and logs input',
    make: sudoers('Defaults lecture=always, insults, log_input, log_output, iolog_dir=/run/sudo-io'),
    end: 'rm -rf /run/sudo-io',
    user: 'ops',
  },
  { name: 'sudo without env_reset', make: sudoers('Defaults !env_reset, setenv'), user: 'ops' },
  { name: 'sudo with a umask of its own', make: sudoers('Defaults umask=0077, umask_override'), user: 'ops' },
  { name: 'sudo with noexec', make: sudoers('Defaults noexec'), user: 'ops', code: 'E_SUDO_REFUSED' },
  { name: 'sudo with a mistake in sudoers', make: sudoers('ops ALL=(ALL'), user: 'ops' },
  {
    name: 'sudo without its setuid bit',
    make: 'chmod u-s /usr/bin/sudo',
    end: 'chmod u+s /usr/bin/sudo',
    user: 'ops',
    code: 'E_SUDO_REFUSED',
  },
  {
    name: 'sudo on a file system with nosuid',
    make: 'mount --bind /usr /usr && mount -o remount,nosuid,bind /usr',
    end: 'umount -l /usr',
    user: 'ops',
    code: 'E_SUDO_REFUSED',
  },
  {
    name: 'sudo to a root whose account has expired',
    make: 'chage -E 1 root',
    end: 'chage -E -1 root',
    user: 'ops',
  },
  {
    name: 'sudo that warns of a host name that does not resolve',
    make: 'hostname unknown-host',
    end: 'hostname strange',
    user: 'ops',
  },
  {
    name: 'doas itself in place of sudo',
    make: "mv /usr/bin/sudo /usr/bin/sudo.away; echo 'permit nopass ops' >/etc/doas.conf; chmod 600 /etc/doas.conf",
    end: 'mv /usr/bin/sudo.away /usr/bin/sudo; rm /etc/doas.conf',
    user: 'ops',
    code: 'E_SUDO_MISSING',
    on20: 'left out',
  },
];
