/** Checks of section 5: options of running containers, and their effective state. */

import { inBenchmarkOrder } from '../benchmark.ts';
import { type Check, checksOf, manual } from '../check.ts';
import { ISOLATION_CHECKS } from './container-isolation.ts';
import { askPerson, ownLimits, perContainer, runningContainers, swarmNeed } from './running.ts';

const OPERATION: readonly Check[] = checksOf<Check>({
  '5.1': {
    title: 'Swarm mode is off where it is not needed',
    failure: 'Swarm mode is on',
    severity: 'low',
    why: 'Swarm opens ports and hands out keys that a single host has no use for.',
    fix: 'docker swarm leave --force (if you do not need swarm)',
    evaluate: swarmNeed,
  },
  '5.7': {
    title: 'No SSH server runs in a container',
    failure: 'An SSH server runs in a container',
    severity: 'medium',
    why: 'It adds a way in, with more keys and updates to maintain. docker exec does the same.',
    fix: 'Take sshd out of the image.',
    evaluate: (facts) =>
      runningContainers(facts, ({ id }) => (facts.sshdContainers.has(id) ? ['an sshd runs in it'] : [])),
  },
  '5.8': {
    title: 'No privileged ports of the host are published',
    failure: 'Privileged ports of the host are published',
    severity: 'low',
    why: 'Ports below 1024 are where clients expect services of the host itself.',
    fix: 'Publish a port above 1023, or note why this one is needed (a reverse proxy needs 80 and 443).',
    evaluate: perContainer(({ ports }) => [
      ...new Set(
        ports
          .filter(({ hostPort }) => hostPort > 0 && hostPort < 1024)
          .map(({ hostPort }) => `publishes port ${hostPort}`),
      ),
    ]),
  },
  '5.9': manual({
    title: 'Only needed ports are open',
    why: 'Every published port can be attacked.',
    fix: 'Remove -p from ports that are not used from outside.',
    evaluate: (facts) =>
      askPerson(facts, 'are all published ports needed?', ({ ports }) =>
        ports.map(({ container, hostIp, hostPort }) => `${hostIp || '0.0.0.0'}:${hostPort} leads to ${container}`),
      ),
  }),
  '5.11': {
    title: 'Memory is limited',
    failure: 'Memory is not limited',
    severity: 'medium',
    why: 'One container can take all memory, and the kernel then ends others.',
    fix: 'docker run --memory 512m …, or `mem_limit:` in the Compose file',
    evaluate: perContainer(({ memory }) => (memory > 0 ? [] : ['has no memory limit'])),
  },
  '5.12': {
    title: 'CPU is limited or weighted',
    failure: 'CPU is neither limited nor weighted',
    severity: 'low',
    why: 'One container can take all CPUs.',
    fix: 'docker run --cpus 1 … (or --cpu-shares), `cpus:` in the Compose file',
    evaluate: perContainer(({ cpuShares, nanoCpus, cpuQuota }) =>
      cpuShares > 0 || nanoCpus > 0 || cpuQuota > 0 ? [] : ['has no CPU limit or weight'],
    ),
  },
  '5.13': {
    title: 'The root file system is read-only',
    failure: 'The root file system is writable',
    severity: 'low',
    why: 'What an intruder cannot write, he cannot keep.',
    fix: 'docker run --read-only --tmpfs /tmp …, `read_only: true` in the Compose file',
    evaluate: perContainer(({ readonlyRoot }) => (readonlyRoot ? [] : ['can write to its root file system'])),
  },
  '5.14': {
    title: 'Published ports are bound to one address',
    failure: 'Ports are published on every address',
    severity: 'medium',
    why: 'A port on all addresses is open on every network that the host is in, past most firewalls.',
    fix: 'docker run -p 127.0.0.1:8080:80 …',
    evaluate: perContainer(({ ports }) => [
      ...new Set(
        ports
          .filter(({ hostIp }) => hostIp === '' || hostIp === '0.0.0.0' || hostIp === '::')
          .map(({ hostPort }) => `port ${hostPort} is open on all addresses`),
      ),
    ]),
  },
  '5.15': {
    title: 'Restarts end after five failures',
    failure: 'Restarts do not end after five failures',
    severity: 'low',
    why: 'A program that crashes and restarts for ever hides its crash and burns the CPU.',
    fix: 'docker run --restart on-failure:5 …',
    evaluate: perContainer(({ restart, restartMax }) =>
      restart === 'always' || restart === 'unless-stopped'
        ? [`restart policy ${restart}`]
        : restart === 'on-failure' && (restartMax === 0 || restartMax > 5)
          ? [`restarts ${restartMax === 0 ? 'without end' : `${restartMax} times`}`]
          : [],
    ),
  },
  '5.19': manual({
    title: 'Default limits are changed only where needed',
    why: 'Its own limit can exceed the capacity of the host.',
    fix: 'Leave out --ulimit, or note why.',
    evaluate: ownLimits,
  }),
  '5.25': {
    title: 'Containers stay in the default cgroup',
    failure: 'Containers are in another cgroup than the default',
    severity: 'low',
    why: 'Another cgroup can have other limits than those that Docker sets.',
    fix: 'Leave out --cgroup-parent.',
    evaluate: perContainer(({ cgroupParent }) => (cgroupParent === '' ? [] : [`is in ${cgroupParent}`])),
  },
  '5.27': {
    title: 'Health is checked at run time',
    failure: 'Health is not checked at run time',
    severity: 'low',
    why: 'Without a check Docker calls a hung program healthy.',
    fix: 'docker run --health-cmd …, `healthcheck:` in the Compose file',
    evaluate: perContainer(({ health }) => (health === '' || health === 'none' ? ['has no health check'] : [])),
  },
  '5.28': manual({
    title: 'Containers run the latest version of their image',
    why: 'An old image keeps holes that its maker has fixed since, also behind a pinned tag or digest.',
    fix: 'docker pull IMAGE, or build it anew, and create the container again.',
    evaluate: (facts) => {
      const made = new Map(facts.engine?.images.map(({ id, created }) => [id, created]));
      return askPerson(facts, 'is each of these the latest version of its image?', ({ image, imageId }) => [
        `runs ${image}${made.get(imageId) ? `, made ${made.get(imageId)}` : ''}`,
      ]);
    },
  }),
  '5.29': {
    title: 'The number of processes is limited',
    failure: 'The number of processes is not limited',
    severity: 'medium',
    why: "A fork bomb in one container takes the host's process table.",
    fix: 'docker run --pids-limit 200 …, `pids_limit:` in the Compose file',
    evaluate: perContainer(({ pidsLimit }) => (pidsLimit > 0 ? [] : ['has no limit of processes'])),
  },
  '5.30': {
    title: 'The default bridge is not used',
    failure: 'The default bridge is used',
    severity: 'low',
    why: 'Every container without another network is on it.',
    fix: 'docker network create NAME, and docker run --network NAME …',
    evaluate: perContainer(
      // The mode as requested: a swarm task shows "default", but is on the networks of its service.
      ({ networks, networkMode }) =>
        networks.includes('bridge') || (networks.length === 0 && /^(bridge|default)$/.test(networkMode))
          ? ['is on the default bridge']
          : [],
    ),
  },
});

/** In benchmark order. */
export const CONTAINER_CHECKS: readonly Check[] = inBenchmarkOrder([...OPERATION, ...ISOLATION_CHECKS]);
