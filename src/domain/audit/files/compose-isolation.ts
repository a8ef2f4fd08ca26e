/** Owns the checks of a Compose file on isolation: what a service may do to the host. */

import { isGrave, moreThanDefault } from '../capabilities.ts';
import { holdsDockerSocket, isSensitive } from '../mounts.ts';
import { type ComposeCheck, check } from './compose-check.ts';
import { devices, is, isTrue, mounts, securityOptions, socketsByName, user } from './compose-service.ts';

export const COMPOSE_ISOLATION: readonly ComposeCheck[] = [
  check(
    '4.1',
    'medium',
    'Services run as a user of their own',
    'Services run as root',
    'Root in a container needs one hole less to become root on the host.',
    'user: "1000:1000"',
    user,
  ),
  check(
    '5.2',
    'medium',
    'AppArmor stays on',
    'AppArmor is switched off',
    'The profile keeps a container from mounting and tracing.',
    'Take apparmor:unconfined out of security_opt.',
    (service) => securityOptions(service, /^apparmor[=:]unconfined$/),
  ),
  check(
    '5.4',
    'medium',
    'No more capabilities than the default are added',
    'Capabilities beyond the default are added',
    'Each capability is a part of root; SYS_ADMIN and some others are nearly all of it.',
    'cap_drop: [ALL], and in cap_add only what the program needs',
    (service) =>
      service
        .items('cap_add')
        .filter(({ text }) => moreThanDefault([text]).length > 0)
        .map(({ text, line }) => ({ text: `adds ${text}`, line, severity: isGrave(text) ? 'high' : undefined })),
  ),
  check(
    '5.5',
    'high',
    'No service is privileged',
    'A service runs privileged',
    'A privileged container is root on the host.',
    'Take privileged out; add single capabilities or devices instead.',
    (service) =>
      isTrue(service.get('privileged'))
        ? [{ text: 'is privileged', line: service.get('privileged')?.line ?? service.line }]
        : [],
  ),
  check(
    '5.6',
    'high',
    "The host's own directories are not mounted",
    "The host's own directories are mounted",
    'Anyone who can write to /etc, /root or a disk, read /etc/shadow or a private key, or talk to containerd owns the host.',
    'Mount only the files that are needed, read-only (:ro); no secrets, and no sockets of container engines.',
    (service, compose) =>
      mounts(service, compose)
        .filter(isSensitive)
        .map(({ source, destination, writable, line }) => ({
          text: `${source} is mounted on ${destination}, ${writable ? 'writable' : 'read-only'}`,
          line,
        })),
  ),
  check(
    '5.10',
    'medium',
    "The host's network is not shared",
    "The host's network is shared",
    'The container reaches what listens on 127.0.0.1, and can open any port.',
    'Take network_mode: host out; publish ports instead.',
    (service) => is(service, 'network_mode', 'host', "shares the host's network"),
  ),
  check(
    '5.16',
    'high',
    "The host's processes are not shared",
    "The host's processes are shared",
    'It can see and signal all processes.',
    'Take pid: host out.',
    (service) => is(service, 'pid', 'host', "shares the host's processes"),
  ),
  check(
    '5.17',
    'medium',
    "The host's IPC is not shared",
    "The host's IPC is shared",
    'It can read the shared memory of others.',
    'Take ipc: host out.',
    (service) => is(service, 'ipc', 'host', "shares the host's IPC"),
  ),
  check(
    '5.18',
    'medium',
    'Devices of the host are not handed in',
    'Devices of the host are handed in',
    'A disk device is the whole host.',
    'Take devices out, or accept it with a reason (baseline).',
    devices,
  ),
  check(
    '5.20',
    'medium',
    'Mounts do not spread to the host',
    'Mounts spread to the host',
    'A mount made in the container appears on the host.',
    'Take shared and rshared out.',
    (service, compose) =>
      mounts(service, compose)
        .filter(({ propagation }) => /^r?shared$/.test(propagation))
        .map(({ destination, propagation, line }) => ({ text: `${destination} has propagation ${propagation}`, line })),
  ),
  check(
    '5.21',
    'low',
    "The host's name space (UTS) is not shared",
    "The host's name space (UTS) is shared",
    "It can change the host's name.",
    'Take uts: host out.',
    (service) => is(service, 'uts', 'host', "shares the host's UTS"),
  ),
  check(
    '5.22',
    'high',
    'System calls are filtered',
    'System calls are not filtered',
    'seccomp takes away the system calls that most kernel exploits need.',
    'Take seccomp:unconfined out of security_opt.',
    (service) => securityOptions(service, /^seccomp[=:]unconfined$/),
  ),
  check(
    '5.26',
    'medium',
    'Services cannot gain new privileges',
    'Services can gain new privileges',
    'A setuid program in an image is the usual first step to root in the container.',
    'security_opt: ["no-new-privileges:true"]',
    (service) =>
      service.items('security_opt').some(({ text }) => /^no-new-privileges([=:]true)?$/.test(text))
        ? []
        : [{ text: 'its programs may gain rights (setuid)', line: service.get('security_opt')?.line ?? service.line }],
  ),
  check(
    '5.31',
    'medium',
    "The host's user namespace is not shared",
    "The host's user namespace is shared",
    'Root in it is root on the host, in spite of userns-remap.',
    'Take userns_mode: host out.',
    (service) => is(service, 'userns_mode', 'host', "shares the host's users"),
  ),
  check(
    '5.32',
    'high',
    "Docker's socket is not mounted",
    "Docker's socket is mounted",
    'Who has the socket is root on the host, and :ro changes nothing.',
    'Take the mount out, or put a filtering proxy for the API in between.',
    (service, compose) => [
      ...mounts(service, compose)
        .filter((mount) => holdsDockerSocket(mount, '/var/run/docker.sock'))
        .map(({ source, destination, line }) => ({ text: `${source} is mounted on ${destination}`, line })),
      ...socketsByName(service),
      ...(isTrue(service.get('use_api_socket'))
        ? [{ text: 'is given it by use_api_socket', line: service.get('use_api_socket')?.line ?? service.line }]
        : []),
    ],
  ),
  check(
    'caps',
    'low',
    'All capabilities are dropped first',
    'Capabilities are not dropped first',
    'The default set holds NET_RAW, SETUID and others that most programs never use.',
    'cap_drop: [ALL]',
    (service) =>
      service.items('cap_drop').some(({ text }) => text.toUpperCase() === 'ALL')
        ? []
        : [{ text: 'keeps the default capabilities', line: service.get('cap_drop')?.line ?? service.line }],
  ),
  check(
    'systempaths',
    'high',
    "The kernel's own paths are masked",
    "The kernel's own paths are open",
    'With all of /proc and /sys at hand, root in a container can run programs on the host.',
    'Take systempaths:unconfined out of security_opt.',
    (service) => securityOptions(service, /^systempaths[=:]unconfined$/),
  ),
];
