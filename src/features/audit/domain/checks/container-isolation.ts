/** Checks of section 5 on isolation: access of a running container to the host. */

import { LISTENERS } from '../../../../core/seams/listeners.ts';
import { offeredLines } from '../../../../core/seams/seam.ts';
import { type Check, checksOf, manual, notApplicable } from '../check.ts';
import { holdsDockerSocket, isSensitive } from '../mounts.ts';
import {
  askPerson,
  capabilities,
  containerNoNewPrivileges,
  containerSeccomp,
  execs,
  perContainer,
  runningContainers,
} from './running.ts';

const NAMESPACES = 'A shared namespace takes away a wall between the container and the host.';

export const ISOLATION_CHECKS: readonly Check[] = checksOf<Check>({
  '5.2': {
    title: 'AppArmor confines the containers',
    failure: 'Containers run without AppArmor',
    severity: 'medium',
    why: 'The profile keeps a container from mounting, tracing and writing to /proc and /sys.',
    fix: 'Leave out --security-opt apparmor=unconfined and --privileged.',
    evaluate: (facts) =>
      facts.apparmor
        ? runningContainers(facts, ({ apparmor }) =>
            apparmor === '' || apparmor === 'unconfined' ? ['no AppArmor profile'] : [],
          )
        : notApplicable("the kernel's AppArmor is not on"),
  },
  '5.3': {
    title: 'SELinux confines the containers',
    failure: 'Containers run without SELinux labels',
    severity: 'medium',
    why: 'Labels keep a container from the files of the host and of others.',
    fix: '"selinux-enabled": true in daemon.json, no --security-opt label=disable',
    evaluate: (facts) =>
      facts.selinux
        ? runningContainers(facts, ({ processLabel }) => (processLabel === '' ? ['no SELinux label'] : []))
        : notApplicable("the kernel's SELinux is not on"),
  },
  '5.4': {
    title: 'Containers get no more capabilities than the default',
    failure: 'Containers have capabilities beyond the default',
    severity: 'medium',
    why: 'Each capability is a part of root; SYS_ADMIN and some others are nearly all of it.',
    fix: 'Leave out --cap-add, or note why each is needed.',
    evaluate: capabilities,
  },
  '5.5': {
    title: 'No container is privileged',
    failure: 'A container runs privileged',
    severity: 'high',
    why: 'A privileged container can load kernel modules and write to the disks: it is root on the host.',
    fix: 'Leave out --privileged; give single capabilities or devices instead.',
    evaluate: perContainer(({ privileged }) => (privileged ? ['is privileged'] : [])),
  },
  '5.6': {
    title: "The host's own directories are not mounted into containers",
    failure: "The host's own directories are mounted into containers",
    severity: 'high',
    why: 'Anyone who can write to /etc, /root or a disk, read /etc/shadow or a private key, or talk to containerd owns the host.',
    fix: 'Mount only the files that are needed, read-only (:ro); no secrets, and no sockets of container engines.',
    evaluate: perContainer(({ mounts }) =>
      mounts
        .filter(isSensitive)
        .map(
          ({ source, destination, writable }) =>
            `${source} is mounted on ${destination}, ${writable ? 'writable' : 'read-only'}`,
        ),
    ),
  },
  '5.10': {
    title: "The host's network is not shared",
    failure: "The host's network is shared",
    severity: 'medium',
    why: `${NAMESPACES} The container reaches services that listen on 127.0.0.1, and can open any port.`,
    fix: 'Leave out --network host; publish ports instead.',
    evaluate: perContainer(({ networkMode }) => (networkMode === 'host' ? ["shares the host's network"] : [])),
  },
  '5.16': {
    title: "The host's processes are not shared",
    failure: "The host's processes are shared",
    severity: 'high',
    why: `${NAMESPACES} It can see and signal all processes.`,
    fix: 'Leave out --pid host.',
    evaluate: perContainer(({ pidMode }) => (pidMode === 'host' ? ["shares the host's processes"] : [])),
  },
  '5.17': {
    title: "The host's IPC is not shared",
    failure: "The host's IPC is shared",
    severity: 'medium',
    why: `${NAMESPACES} It can read the shared memory of others.`,
    fix: 'Leave out --ipc host.',
    evaluate: perContainer(({ ipcMode }) => (ipcMode === 'host' ? ["shares the host's IPC"] : [])),
  },
  '5.18': manual({
    title: 'Devices of the host are not handed in',
    failure: 'Devices of the host are handed in',
    why: 'A disk device is the whole host.',
    fix: 'Leave out --device, or note why.',
    evaluate: (facts) =>
      askPerson(facts, 'are these devices needed?', ({ devices }) => devices.map((device) => `has ${device}`)),
  }),
  '5.20': {
    title: 'Mounts do not spread to the host',
    failure: 'Mounts spread to the host',
    severity: 'medium',
    why: 'With shared propagation a mount made in the container appears on the host.',
    fix: 'Leave out :shared and :rshared.',
    evaluate: perContainer(({ mounts }) =>
      mounts
        .filter(({ propagation }) => /^r?shared$/.test(propagation))
        .map(({ destination, propagation }) => `${destination} has propagation ${propagation}`),
    ),
  },
  '5.21': {
    title: "The host's name space (UTS) is not shared",
    failure: "The host's name space (UTS) is shared",
    severity: 'low',
    why: `${NAMESPACES} It can change the host's name.`,
    fix: 'Leave out --uts host.',
    evaluate: perContainer(({ utsMode }) => (utsMode === 'host' ? ["shares the host's UTS"] : [])),
  },
  '5.22': {
    title: 'System calls of containers are filtered',
    failure: 'System calls of a container are not filtered',
    severity: 'high',
    why: 'seccomp takes away the system calls that most kernel exploits need.',
    fix: 'Leave out --security-opt seccomp=unconfined and --privileged; a profile of your own begins with "defaultAction": "SCMP_ACT_ERRNO".',
    evaluate: containerSeccomp,
  },
  '5.23': {
    title: 'No privileged docker exec',
    failure: 'A privileged docker exec is running',
    severity: 'medium',
    why: 'It gives a process in the container all capabilities, whatever the container was started with.',
    fix: 'docker exec without --privileged',
    evaluate: (facts) => execs(facts, false),
  },
  '5.24': manual({
    title: 'No docker exec as root',
    why: 'A process that starts as a user can become root in the container.',
    fix: 'docker exec without --user root',
    evaluate: (facts) => execs(facts, true),
  }),
  '5.26': {
    title: 'Running containers cannot gain new privileges',
    failure: 'Running containers can gain new privileges',
    severity: 'medium',
    why: 'A setuid program in an image is the usual first step to root in the container.',
    fix: 'docker run --security-opt no-new-privileges …; with the daemon-wide setting: start the container anew',
    evaluate: containerNoNewPrivileges,
  },
  '5.31': {
    title: "The host's user namespace is not shared",
    failure: "The host's user namespace is shared",
    severity: 'medium',
    why: `${NAMESPACES} Root in it is root on the host, in spite of userns-remap.`,
    fix: 'Leave out --userns host.',
    evaluate: perContainer(({ usernsMode }) => (usernsMode === 'host' ? ["shares the host's users"] : [])),
  },
  '5.32': {
    title: "Docker's socket is not mounted into containers",
    failure: "Docker's socket is mounted into containers",
    severity: 'high',
    why: 'A container with the socket can start a privileged container, so it is root on the host. :ro changes nothing.',
    fix: (host) =>
      [
        'Take the mount out, or put a filtering proxy for the API in between.',
        ...offeredLines(
          LISTENERS,
          `A socket with a role: docker-tls setup ${host} --listener haproxy --socket 'NAME read', and in the Compose file /run/docker-tls/NAME.sock:/var/run/docker.sock in place of /var/run/docker.sock:/var/run/docker.sock.`,
        ),
      ].join(' '),
    evaluate: (facts) =>
      runningContainers(facts, ({ mounts }) =>
        mounts
          .filter((mount) => holdsDockerSocket(mount, facts.apiSocket))
          .map(({ source, destination }) => `${source} is mounted on ${destination}`),
      ),
  },
  'container.1': {
    title: 'Containers drop the capabilities that they do not need',
    failure: 'Containers keep capabilities that they do not need',
    severity: 'low',
    why: 'The default set still holds NET_RAW, MKNOD, SETUID and others that most programs never use.',
    fix: 'docker run --cap-drop ALL --cap-add WHAT-IT-NEEDS …, `cap_drop: [ALL]` in the Compose file',
    evaluate: perContainer(({ capDrop, privileged }) =>
      privileged || !capDrop.some((name) => name.toUpperCase() === 'ALL') ? ['keeps the default capabilities'] : [],
    ),
  },
  'container.2': {
    title: "The kernel's own paths are masked in containers",
    failure: "The kernel's own paths are open in containers",
    severity: 'high',
    why: 'With all of /proc and /sys at hand, root in a container can write to kernel.core_pattern and so run programs on the host.',
    fix: 'Leave out --security-opt systempaths=unconfined.',
    evaluate: perContainer(({ bareSystemPaths }) => (bareSystemPaths ? ['system paths are unconfined'] : [])),
  },
  'container.3': {
    title: 'Settings of containers hold no secrets',
    failure: 'Settings of containers hold secrets',
    severity: 'medium',
    why: "Every client of Docker's API reads them with docker inspect, and every process in the container inherits them.",
    fix: 'Mount a file with the secret, and name it by a variable such as DB_PASSWORD_FILE.',
    evaluate: perContainer(({ secrets }) => secrets),
  },
});
