/** Checks of a Compose file on isolation: access of a service to the host. */

import { isGrave, moreThanDefault } from '../capabilities.ts';
import { checksOf } from '../check.ts';
import { holdsDockerSocket, isSensitive } from '../mounts.ts';
import { asRunning, type ComposeCheck, perService } from './compose-check.ts';
import { mounts, socketsByName } from './compose-mounts.ts';
import {
  devices,
  hooks,
  is,
  isTrueField,
  securityOptions,
  serviceUser,
  shared,
  unfiltered,
  wrongAt,
} from './compose-service.ts';

export const COMPOSE_ISOLATION: readonly ComposeCheck[] = [
  ...checksOf<ComposeCheck>({
    'compose.5.2': {
      severity: 'medium',
      title: 'AppArmor stays on',
      failure: 'AppArmor is switched off',
      why: 'The profile keeps a container from mounting and tracing.',
      fix: 'Take apparmor:unconfined out of security_opt.',
      evaluate: perService((service) => securityOptions(service, /^apparmor[=:]unconfined$/)),
    },
    'compose.5.5': {
      severity: 'high',
      title: 'No service is privileged',
      failure: 'A service runs privileged',
      why: 'A privileged container is root on the host.',
      fix: 'Take privileged out; add single capabilities or devices instead.',
      evaluate: perService((service) => [
        ...(isTrueField(service.get('privileged')) ? wrongAt(service, 'privileged', 'is privileged') : []),
        ...hooks(service)
          .filter(({ privileged }) => privileged)
          .map(({ name, at }) => ({ text: `a ${name} hook runs privileged`, at })),
      ]),
    },
    'compose.caps': {
      severity: 'low',
      title: 'All capabilities are dropped first',
      failure: 'Capabilities are not dropped first',
      why: 'The default set holds NET_RAW, SETUID and others that most programs never use.',
      fix: 'cap_drop: [ALL]',
      evaluate: perService((service) =>
        service.items('cap_drop').some(({ text }) => text.toUpperCase() === 'ALL')
          ? []
          : wrongAt(service, 'cap_drop', 'keeps the default capabilities'),
      ),
    },
    'compose.cgroup': {
      severity: 'medium',
      title: 'Services have their own cgroup namespace',
      failure: "The host's cgroup namespace is shared",
      why: 'The container sees the cgroups of the host, and with a writable mount it can change them.',
      fix: 'Take cgroup: host out.',
      evaluate: perService((service) => is(service, 'cgroup', 'host', "shares the host's cgroup namespace")),
    },
    'compose.shared': {
      severity: 'medium',
      title: 'Services share no namespaces or volumes with other containers',
      failure: 'Namespaces or volumes of other containers are shared',
      why: 'A container in the same PID or IPC namespace can read and trace the other one; volumes_from gives it all its data.',
      fix: 'Take pid, ipc and volumes_from out; share a single named volume instead.',
      evaluate: perService(shared),
    },
    'compose.systempaths': {
      severity: 'high',
      title: "The kernel's own paths are masked",
      failure: "The kernel's own paths are open",
      why: 'With all of /proc and /sys at hand, root in a container can run programs on the host.',
      fix: 'Take systempaths:unconfined out of security_opt.',
      evaluate: perService((service) => securityOptions(service, /^systempaths[=:]unconfined$/)),
    },
  }),
  ...asRunning({
    '4.1': {
      title: 'Services run as a non-root user',
      failure: 'Services run as root',
      fix: 'user: "1000:1000"',
      evaluate: perService(serviceUser),
    },
    '5.3': {
      title: 'SELinux stays on',
      failure: 'SELinux is switched off',
      fix: 'Take label:disable out of security_opt.',
      evaluate: perService((service) => securityOptions(service, /^label[=:]disable$/)),
    },
    '5.4': {
      title: 'No more capabilities than the default are added',
      failure: 'Capabilities beyond the default are added',
      fix: 'cap_drop: [ALL], and only the capabilities that the program needs in cap_add',
      evaluate: perService((service) =>
        service
          .items('cap_add')
          .filter(({ text }) => moreThanDefault([text]).length > 0)
          .map(({ text, words, at }) => ({ text: `adds ${words}`, at, severity: isGrave(text) ? 'high' : undefined })),
      ),
    },
    '5.6': {
      title: "The host's own directories are not mounted",
      failure: "The host's own directories are mounted",
      evaluate: perService((service, compose) =>
        mounts(service, compose)
          .filter(isSensitive)
          .map(({ shown, shownDestination, writable, at }) => ({
            text: `${shown} is mounted on ${shownDestination}, ${writable ? 'writable' : 'read-only'}`,
            at,
          })),
      ),
    },
    '5.10': {
      why: 'The container reaches what listens on 127.0.0.1, and can open any port.',
      fix: 'Take network_mode: host out; publish ports instead.',
      evaluate: perService((service) => is(service, 'network_mode', 'host', "shares the host's network")),
    },
    '5.16': {
      why: 'It can see and signal all processes.',
      fix: 'Take pid: host out.',
      evaluate: perService((service) => is(service, 'pid', 'host', "shares the host's processes")),
    },
    '5.17': {
      why: 'It can read the shared memory of others.',
      fix: 'Take ipc: host out.',
      evaluate: perService((service) => is(service, 'ipc', 'host', "shares the host's IPC")),
    },
    '5.18': {
      severity: 'medium',
      fix: 'Take devices out, or accept it with a reason (baseline).',
      evaluate: perService(devices),
    },
    '5.20': {
      why: 'A mount made in the container appears on the host.',
      fix: 'Take shared and rshared out.',
      evaluate: perService((service, compose) =>
        mounts(service, compose)
          .filter(({ propagation }) => /^r?shared$/.test(propagation))
          .map(({ shownDestination, propagation, at }) => ({
            text: `${shownDestination} has propagation ${propagation}`,
            at,
          })),
      ),
    },
    '5.21': {
      why: "It can change the host's name.",
      fix: 'Take uts: host out.',
      evaluate: perService((service) => is(service, 'uts', 'host', "shares the host's UTS")),
    },
    '5.22': {
      title: 'System calls are filtered',
      failure: 'System calls are not filtered',
      fix: "Take seccomp:unconfined out of security_opt, or start from Docker's own profile.",
      evaluate: perService(unfiltered),
    },
    '5.26': {
      title: 'Services cannot gain new privileges',
      failure: 'Services can gain new privileges',
      fix: 'security_opt: ["no-new-privileges:true"]',
      evaluate: perService((service) =>
        // Docker takes the last one.
        /^no-new-privileges([=:]true)?$/.test(
          service.items('security_opt').findLast(({ text }) => /^no-new-privileges([=:]|$)/.test(text))?.text ?? '',
        )
          ? []
          : wrongAt(service, 'security_opt', 'its programs may gain rights (setuid)'),
      ),
    },
    '5.31': {
      why: 'Root in it is root on the host, in spite of userns-remap.',
      fix: 'Take userns_mode: host out.',
      evaluate: perService((service) => is(service, 'userns_mode', 'host', "shares the host's users")),
    },
    '5.32': {
      title: "Docker's socket is not mounted",
      failure: "Docker's socket is mounted",
      why: 'A service with the socket is root on the host. :ro changes nothing.',
      evaluate: perService((service, compose) => [
        ...mounts(service, compose)
          .filter((mount) => holdsDockerSocket(mount, '/var/run/docker.sock'))
          .map(({ shown, shownDestination, at }) => ({ text: `${shown} is mounted on ${shownDestination}`, at })),
        ...socketsByName(service),
        ...(isTrueField(service.get('use_api_socket'))
          ? wrongAt(service, 'use_api_socket', 'is given it by use_api_socket')
          : []),
      ]),
    },
  }),
];
