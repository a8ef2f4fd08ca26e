/** Owns the checks of section 5: how the running containers were started, and what they have in truth. */

import type { ContainerFact } from '../api.ts';
import { type Check, notApplicable, type Severity } from '../check.ts';
import { holdsDockerSocket, isSensitive } from '../mounts.ts';
import {
  askPerson,
  capabilities,
  execs,
  noNewPrivileges,
  ownLimits,
  runningContainers,
  seccomp,
  swarmNeed,
} from './running.ts';

/** A check that looks at one thing of each running container. */
function check(
  id: string,
  severity: Severity,
  title: string,
  failure: string,
  why: string,
  fix: string,
  wrong: (container: ContainerFact) => readonly string[],
): Check {
  return { id, severity, title, failure, why, fix, evaluate: (facts) => runningContainers(facts, wrong) };
}

const NAMESPACES = 'A shared namespace takes away a wall between the container and the host.';

export const CONTAINER_CHECKS: readonly Check[] = [
  {
    id: '5.1',
    title: 'Swarm mode is off where it is not needed',
    failure: 'Swarm mode is on',
    severity: 'low',
    why: 'Swarm opens ports and hands out keys that a single host has no use for.',
    fix: 'docker swarm leave --force (where swarm is not wanted)',
    evaluate: swarmNeed,
  },
  {
    id: '5.2',
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
  {
    id: '5.3',
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
  {
    id: '5.4',
    title: 'Containers get no more capabilities than the default',
    failure: 'Containers have capabilities beyond the default',
    severity: 'medium',
    why: 'Each capability is a part of root; SYS_ADMIN and some others are nearly all of it.',
    fix: 'Leave out --cap-add, or note why each is needed.',
    evaluate: capabilities,
  },
  check(
    '5.5',
    'high',
    'No container is privileged',
    'A container runs privileged',
    'A privileged container can load kernel modules and write to the disks: it is root on the host.',
    'Leave out --privileged; give single capabilities or devices instead.',
    ({ privileged }) => (privileged ? ['is privileged'] : []),
  ),
  check(
    '5.6',
    'high',
    "The host's own directories are not mounted into containers",
    "The host's own directories are mounted into containers",
    'Whoever can write to /etc, /root or a disk, read /etc/shadow or a private key, or talk to containerd owns the host.',
    'Mount only the files that are needed, read-only (:ro); no secrets, and no sockets of container engines.',
    ({ mounts }) =>
      mounts
        .filter(isSensitive)
        .map(
          ({ source, destination, writable }) =>
            `${source} is mounted on ${destination}, ${writable ? 'writable' : 'read-only'}`,
        ),
  ),
  {
    id: '5.7',
    title: 'No SSH server runs in a container',
    failure: 'An SSH server runs in a container',
    severity: 'medium',
    why: 'It is one more way in, with keys and updates of its own. docker exec does the same.',
    fix: 'Take sshd out of the image.',
    evaluate: (facts) =>
      runningContainers(facts, ({ id }) => (facts.sshdContainers.has(id) ? ['an sshd runs in it'] : [])),
  },
  check(
    '5.8',
    'low',
    'No privileged ports of the host are published',
    'Privileged ports of the host are published',
    'Ports below 1024 are where clients expect services of the host itself.',
    'Publish a port above 1023, or note why this one is meant (a reverse proxy needs 80 and 443).',
    ({ ports }) => [
      ...new Set(
        ports
          .filter(({ hostPort }) => hostPort > 0 && hostPort < 1024)
          .map(({ hostPort }) => `publishes port ${hostPort}`),
      ),
    ],
  ),
  {
    id: '5.9',
    title: 'Only needed ports are open',
    severity: 'info',
    why: 'Every published port can be attacked.',
    fix: 'Take out -p of what nobody uses from outside.',
    manual: true,
    evaluate: (facts) =>
      askPerson(facts, 'are all published ports needed?', ({ ports }) =>
        ports.map(({ container, hostIp, hostPort }) => `${hostIp || '0.0.0.0'}:${hostPort} leads to ${container}`),
      ),
  },
  check(
    '5.10',
    'medium',
    "The host's network is not shared",
    "The host's network is shared",
    `${NAMESPACES} The container reaches services that listen on 127.0.0.1, and can open any port.`,
    'Leave out --network host; publish ports instead.',
    ({ networkMode }) => (networkMode === 'host' ? ["shares the host's network"] : []),
  ),
  check(
    '5.11',
    'medium',
    'Memory is limited',
    'Memory is not limited',
    'One container can take all memory, and the kernel then ends others.',
    'docker run --memory 512m …, or `mem_limit:` in the Compose file',
    ({ memory }) => (memory > 0 ? [] : ['has no memory limit']),
  ),
  check(
    '5.12',
    'low',
    'CPU is limited or weighted',
    'CPU is neither limited nor weighted',
    'One container can take all CPUs.',
    'docker run --cpus 1 … (or --cpu-shares), `cpus:` in the Compose file',
    ({ cpuShares, nanoCpus, cpuQuota }) =>
      cpuShares > 0 || nanoCpus > 0 || cpuQuota > 0 ? [] : ['has no CPU limit or weight'],
  ),
  check(
    '5.13',
    'low',
    'The root file system is read-only',
    'The root file system is writable',
    'What an intruder cannot write, he cannot keep.',
    'docker run --read-only --tmpfs /tmp …, `read_only: true` in the Compose file',
    ({ readonlyRoot }) => (readonlyRoot ? [] : ['can write to its root file system']),
  ),
  check(
    '5.14',
    'medium',
    'Published ports are bound to one address',
    'Ports are published on every address',
    'A port on all addresses is open on every network that the host is in, past most firewalls.',
    'docker run -p 127.0.0.1:8080:80 …',
    ({ ports }) => [
      ...new Set(
        ports
          .filter(({ hostIp }) => hostIp === '' || hostIp === '0.0.0.0' || hostIp === '::')
          .map(({ hostPort }) => `port ${hostPort} is open on all addresses`),
      ),
    ],
  ),
  check(
    '5.15',
    'low',
    'Restarts end after five failures',
    'Restarts do not end after five failures',
    'A program that crashes and restarts for ever hides its crash and burns the CPU.',
    'docker run --restart on-failure:5 …',
    ({ restart, restartMax }) =>
      restart === 'always' || restart === 'unless-stopped'
        ? [`restart policy ${restart}`]
        : restart === 'on-failure' && (restartMax === 0 || restartMax > 5)
          ? [`restarts ${restartMax === 0 ? 'without end' : `${restartMax} times`}`]
          : [],
  ),
  check(
    '5.16',
    'high',
    "The host's processes are not shared",
    "The host's processes are shared",
    `${NAMESPACES} It can see and signal all processes.`,
    'Leave out --pid host.',
    ({ pidMode }) => (pidMode === 'host' ? ["shares the host's processes"] : []),
  ),
  check(
    '5.17',
    'medium',
    "The host's IPC is not shared",
    "The host's IPC is shared",
    `${NAMESPACES} It can read the shared memory of others.`,
    'Leave out --ipc host.',
    ({ ipcMode }) => (ipcMode === 'host' ? ["shares the host's IPC"] : []),
  ),
  {
    id: '5.18',
    title: 'Devices of the host are not handed in',
    failure: 'Devices of the host are handed in',
    severity: 'info',
    why: 'A disk device is the whole host.',
    fix: 'Leave out --device, or note why.',
    manual: true,
    evaluate: (facts) =>
      askPerson(facts, 'are these devices needed?', ({ devices }) => devices.map((device) => `has ${device}`)),
  },
  {
    id: '5.19',
    title: 'Default limits are changed only where needed',
    severity: 'info',
    why: 'A limit of its own can be higher than what the host can bear.',
    fix: 'Leave out --ulimit, or note why.',
    manual: true,
    evaluate: ownLimits,
  },
  check(
    '5.20',
    'medium',
    'Mounts do not spread to the host',
    'Mounts spread to the host',
    'With shared propagation a mount made in the container appears on the host.',
    'Leave out :shared and :rshared.',
    ({ mounts }) =>
      mounts
        .filter(({ propagation }) => /^r?shared$/.test(propagation))
        .map(({ destination, propagation }) => `${destination} has propagation ${propagation}`),
  ),
  check(
    '5.21',
    'low',
    "The host's name space (UTS) is not shared",
    "The host's name space (UTS) is shared",
    `${NAMESPACES} It can change the host's name.`,
    'Leave out --uts host.',
    ({ utsMode }) => (utsMode === 'host' ? ["shares the host's UTS"] : []),
  ),
  {
    id: '5.22',
    title: 'System calls of containers are filtered',
    failure: 'System calls of a container are not filtered',
    severity: 'high',
    why: 'seccomp takes away the system calls that most kernel exploits need.',
    fix: 'Leave out --security-opt seccomp=unconfined and --privileged; a profile of your own begins with "defaultAction": "SCMP_ACT_ERRNO".',
    evaluate: seccomp,
  },
  {
    id: '5.23',
    title: 'No privileged docker exec',
    failure: 'A privileged docker exec is running',
    severity: 'medium',
    why: 'It gives a process in the container all capabilities, whatever the container was started with.',
    fix: 'docker exec without --privileged',
    evaluate: (facts) => execs(facts, false),
  },
  {
    id: '5.24',
    title: 'No docker exec as root',
    severity: 'info',
    why: 'It makes root in a container that was meant to run as a user.',
    fix: 'docker exec without --user root',
    manual: true,
    evaluate: (facts) => execs(facts, true),
  },
  check(
    '5.25',
    'low',
    'Containers stay in the default cgroup',
    'Containers are in another cgroup than the default',
    'Another cgroup can have other limits than those that Docker sets.',
    'Leave out --cgroup-parent.',
    ({ cgroupParent }) => (cgroupParent === '' ? [] : [`is in ${cgroupParent}`]),
  ),
  {
    id: '5.26',
    title: 'Running containers cannot gain new privileges',
    failure: 'Running containers can gain new privileges',
    severity: 'medium',
    why: 'A setuid program in an image is the usual first step to root in the container.',
    fix: 'docker run --security-opt no-new-privileges …; with the daemon-wide setting: start the container anew',
    evaluate: noNewPrivileges,
  },
  check(
    '5.27',
    'low',
    'Health is checked at run time',
    'Health is not checked at run time',
    'Without a check Docker calls a hung program healthy.',
    'docker run --health-cmd …, `healthcheck:` in the Compose file',
    ({ health }) => (health === '' || health === 'none' ? ['has no health check'] : []),
  ),
  {
    id: '5.28',
    title: 'Images are named by what they are',
    severity: 'info',
    why: 'A tag such as latest means another image tomorrow.',
    fix: 'Use a version tag, best with a digest (name:1.2@sha256:…).',
    manual: true,
    evaluate: (facts) =>
      askPerson(facts, 'is each tag the version that you mean?', ({ image }) =>
        /@sha256:/.test(image) ? [] : [`runs ${image}${/:[^/]+$/.test(image) ? '' : ' (no tag: latest)'}`],
      ),
  },
  check(
    '5.29',
    'medium',
    'The number of processes is limited',
    'The number of processes is not limited',
    "A fork bomb in one container takes the host's process table.",
    'docker run --pids-limit 200 …, `pids_limit:` in the Compose file',
    ({ pidsLimit }) => (pidsLimit > 0 ? [] : ['has no limit of processes']),
  ),
  check(
    '5.30',
    'low',
    'The default bridge is not used',
    'The default bridge is used',
    'All containers without a network of their own meet on it.',
    'docker network create NAME, and docker run --network NAME …',
    // The mode is what was asked for: a task of swarm has "default" there, and is on the networks of its service.
    ({ networks, networkMode }) =>
      networks.includes('bridge') || (networks.length === 0 && /^(bridge|default)$/.test(networkMode))
        ? ['is on the default bridge']
        : [],
  ),
  check(
    '5.31',
    'medium',
    "The host's user namespace is not shared",
    "The host's user namespace is shared",
    `${NAMESPACES} Root in it is root on the host, in spite of userns-remap.`,
    'Leave out --userns host.',
    ({ usernsMode }) => (usernsMode === 'host' ? ["shares the host's users"] : []),
  ),
  {
    id: '5.32',
    title: "Docker's socket is not mounted into containers",
    failure: "Docker's socket is mounted into containers",
    severity: 'high',
    why: 'Who has the socket can start a privileged container: it is root on the host, and :ro changes nothing.',
    fix: 'Take the mount out, or put a filtering proxy for the API in between.',
    evaluate: (facts) =>
      runningContainers(facts, ({ mounts }) =>
        mounts
          .filter((mount) => holdsDockerSocket(mount, facts.apiSocket))
          .map(({ source, destination }) => `${source} is mounted on ${destination}`),
      ),
  },
  check(
    'container.1',
    'low',
    'Containers drop the capabilities that they do not need',
    'Containers keep capabilities that they do not need',
    'The default set still holds NET_RAW, MKNOD, SETUID and others that most programs never use.',
    'docker run --cap-drop ALL --cap-add WHAT-IT-NEEDS …, `cap_drop: [ALL]` in the Compose file',
    ({ capDrop, privileged }) =>
      privileged || !capDrop.some((name) => name.toUpperCase() === 'ALL') ? ['keeps the default capabilities'] : [],
  ),
  check(
    'container.2',
    'high',
    "The kernel's own paths are masked in containers",
    "The kernel's own paths are open in containers",
    'With all of /proc and /sys at hand, root in a container can write to kernel.core_pattern and so run programs on the host.',
    'Leave out --security-opt systempaths=unconfined.',
    ({ bareSystemPaths }) => (bareSystemPaths ? ['system paths are unconfined'] : []),
  ),
];
