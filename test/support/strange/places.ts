/** Unusual hosts: directories, devices, names, networks and processes. */

import { RESTART, type StrangeCase } from './case.ts';

const DEFAULT_ACL = `python3 -c 'import os; os.setxattr("/etc/docker", "system.posix_acl_default", bytes.fromhex("0200000001000700ffffffff020007000100000004000500ffffffff10000700ffffffff20000500ffffffff"))'`;

export const PLACES: readonly StrangeCase[] = [
  { name: '/etc/docker has a default access list', make: `mkdir -p /etc/docker; ${DEFAULT_ACL}` },
  {
    name: '/etc/docker hands on its group (setgid)',
    make: 'mkdir -p /etc/docker; chgrp docker /etc/docker; chmod 2775 /etc/docker',
  },
  { name: '/etc/docker has mode 0', make: 'mkdir -p /etc/docker; chmod 0 /etc/docker' },
  {
    name: '/etc/docker can only be appended to (chattr +a)',
    make: 'mkdir -p /etc/docker; chattr +a /etc/docker',
    end: 'chattr -a /etc/docker; rmdir /etc/docker/tls 2>/dev/null',
    code: 'E_APPLY',
    says: /chattr -a \/etc\/docker/,
  },
  {
    name: '/etc/docker has no inodes left',
    make: 'mkdir -p /etc/docker; mount -t tmpfs -o nr_inodes=2,mode=755 none /etc/docker; touch /etc/docker/one',
    end: 'umount -l /etc/docker',
    code: 'E_DISK_FULL',
  },
  {
    name: '/etc/docker is a full file system',
    make: 'mkdir -p /etc/docker; mount -t tmpfs -o size=64k,mode=755 none /etc/docker; head -c 65536 /dev/zero >/etc/docker/fill',
    end: 'umount -l /etc/docker',
    code: 'E_DISK_FULL',
  },
  {
    name: '/etc/docker/tls is a link to another directory',
    make: 'mkdir -p /etc/docker /srv/site-tls; ln -s /srv/site-tls /etc/docker/tls',
    end: 'rm -rf /srv/site-tls',
  },
  {
    name: '/etc/docker/tls/current is a directory',
    make: 'mkdir -p /etc/docker/tls/current; echo mine >/etc/docker/tls/current/ca.pem',
    code: 'E_APPLY',
    says: /it is a directory/,
  },
  {
    name: '/etc/docker/tls/1 is there, with files of another program',
    make: 'mkdir -p /etc/docker/tls/1; echo mine >/etc/docker/tls/1/mine',
  },
  {
    name: '/etc/systemd/system is a link',
    make: 'cp -a /etc/systemd/system /srv/units; rm -rf /etc/systemd/system; ln -s /srv/units /etc/systemd/system; systemctl daemon-reload',
    end: 'rm /etc/systemd/system; rm -rf /srv/units',
  },
  {
    name: '/etc/systemd/system is immutable',
    make: 'chattr +i /etc/systemd/system',
    end: 'chattr -i /etc/systemd/system',
    code: 'E_APPLY',
  },
  {
    name: 'sockets.target.wants is a file',
    make: 'rm -rf /etc/systemd/system/sockets.target.wants; touch /etc/systemd/system/sockets.target.wants',
    code: 'E_APPLY',
  },
  {
    name: 'no sockets.target.wants and no sysinit.target.wants',
    make: 'rm -rf /etc/systemd/system/sockets.target.wants /etc/systemd/system/sysinit.target.wants',
  },
  {
    name: '/var/lib/docker-tls is a link',
    make: 'mkdir -p /srv/state; ln -s /srv/state /var/lib/docker-tls',
    end: 'rm -rf /srv/state',
  },
  {
    name: '/var/lib is mounted noexec, nosuid, nodev',
    make: 'mount --bind /var/lib /var/lib && mount -o remount,noexec,nosuid,nodev,bind /var/lib',
    end: 'umount -l /var/lib',
  },
  {
    name: '/etc is mounted noexec',
    make: 'mount --bind /etc /etc && mount -o remount,noexec,bind /etc',
    end: 'umount -l /etc',
  },
  { name: '/tmp is not there', make: 'umount -l /tmp; rmdir /tmp', end: 'mkdir -m 1777 /tmp' },
  {
    name: '/run/lock and /run/docker.pid are not there',
    make: 'umount -l /run/lock; rm -rf /run/lock /run/docker.pid',
    end: 'mkdir -m 1777 /run/lock',
  },
  { name: '/dev/null is for root alone', make: 'chmod 600 /dev/null', end: 'chmod 666 /dev/null', user: 'ops' },
  {
    name: '/dev/null is a file',
    make: 'rm /dev/null; touch /dev/null; chmod 666 /dev/null',
    end: 'rm -f /dev/null; mknod -m 666 /dev/null c 1 3',
  },
  {
    name: 'no /dev/urandom',
    make: 'mv /dev/urandom /dev/urandom.away',
    end: 'mv /dev/urandom.away /dev/urandom',
    code: 'E_FACTS',
  },
  {
    name: 'no /dev/fd and no /dev/shm',
    make: 'rm /dev/fd; umount -l /dev/shm; rmdir /dev/shm',
    end: 'ln -s /proc/self/fd /dev/fd; mkdir -m 1777 /dev/shm',
  },
  {
    name: '/proc is mounted with hidepid=2',
    make: 'mount -o remount,hidepid=2 /proc',
    end: 'mount -o remount,hidepid=0 /proc',
    user: 'ops',
  },
  { name: '/bin/sh is bash', make: 'ln -sf bash /bin/sh', end: 'ln -sf dash /bin/sh' },
  { name: '/bin/sh is busybox', make: 'ln -sf busybox /bin/sh', end: 'ln -sf dash /bin/sh' },
  { name: '/bin/sh is lksh', make: 'ln -sf lksh /bin/sh', end: 'ln -sf dash /bin/sh', on20: 'left out' },
  {
    name: '/bin/sh is mksh',
    make: 'ln -sf mksh /bin/sh',
    end: 'ln -sf dash /bin/sh',
    code: 'E_FACTS',
    on20: 'left out',
  },
  { name: '/bin/sh is zsh', make: 'ln -sf zsh /bin/sh', end: 'ln -sf dash /bin/sh', code: 'E_FACTS', on20: 'left out' },
  {
    name: '/bin/sh is ksh',
    make: 'ln -sf ksh93 /bin/sh',
    end: 'ln -sf dash /bin/sh',
    code: 'E_FACTS',
    on20: 'left out',
  },
  {
    name: 'a hostname that is not ASCII',
    make: 'printf "b\\303\\274cher" >/proc/sys/kernel/hostname',
    end: 'hostname strange',
  },
  {
    name: 'a hostname with escape codes and blanks',
    make: 'printf "a b\\033]0;x\\007" >/proc/sys/kernel/hostname',
    end: 'hostname strange',
  },
  { name: 'an empty hostname', make: 'echo "" >/proc/sys/kernel/hostname', end: 'hostname strange' },
  {
    name: 'IPv6 is off',
    make: 'sysctl -qw net.ipv6.conf.all.disable_ipv6=1',
    end: 'sysctl -qw net.ipv6.conf.all.disable_ipv6=0',
  },
  {
    name: 'sockets for IPv6 do not take IPv4 (bindv6only)',
    make: 'sysctl -qw net.ipv6.bindv6only=1',
    end: 'sysctl -qw net.ipv6.bindv6only=0',
  },
  {
    name: 'a container publishes the port',
    make: 'docker run -d --name squat -p 2376:80 busybox sleep 1d',
    end: 'docker rm -f squat',
    code: 'E_PORT_TAKEN',
  },
  {
    name: 'a container of the host network listens on the port',
    make: 'docker run -d --name squat --network host busybox httpd -f -p 2376 -h /',
    end: 'docker rm -f squat',
    code: 'E_PORT_TAKEN',
  },
  {
    name: 'another program listens on the port of 127.0.0.2 only',
    make: 'systemd-run -q --unit=squatter python3 -m http.server -b 127.0.0.2 2376; sleep 1',
    end: 'systemctl stop squatter',
    code: 'E_PORT_TAKEN',
  },
  {
    name: 'journald does not run',
    make: 'systemctl stop systemd-journald-dev-log.socket systemd-journald.socket systemd-journald-audit.socket systemd-journald.service 2>/dev/null; true',
    end: 'systemctl start systemd-journald.service systemd-journald-dev-log.socket systemd-journald.socket',
  },
  { name: 'D-Bus does not run', make: 'systemctl stop dbus.socket dbus.service', end: 'systemctl start dbus.socket' },
  {
    name: 'sshd may have 12 tasks',
    make: 'systemctl set-property --runtime ssh.service TasksMax=12',
    end: 'systemctl set-property --runtime ssh.service TasksMax=infinity',
  },
  {
    name: 'no /etc/default and no /etc/localtime',
    make: `rm -rf /etc/default /etc/localtime; ${RESTART}`,
    end: 'cp -a /root/etc/default /etc/default',
  },
  {
    name: 'systemd-run that fails',
    make: 'mv /usr/bin/systemd-run /usr/bin/systemd-run.away; printf "#!/bin/sh\\necho no bus >&2; exit 1\\n" >/usr/bin/systemd-run; chmod 755 /usr/bin/systemd-run',
    end: 'mv /usr/bin/systemd-run.away /usr/bin/systemd-run',
    code: 'E_APPLY',
    says: /no bus/,
  },
];
