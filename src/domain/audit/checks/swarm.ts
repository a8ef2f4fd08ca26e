/** Owns the checks of sections 6 and 7: how many images and containers pile up, and swarm mode. */

import { at, numberAt, textAt } from '../api.ts';
import { type Check, finding, forPerson, judge, notApplicable, PASS, UNANSWERED, type Verdict } from '../check.ts';
import type { AuditFacts } from '../facts.ts';

function inSwarm(facts: AuditFacts, evaluate: (docker: NonNullable<AuditFacts['docker']>) => Verdict): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  if (textAt(facts.docker.info, 'Swarm', 'LocalNodeState') !== 'active') return notApplicable('swarm mode is off');
  return evaluate(facts.docker);
}

/** Questions that only a manager of the swarm can answer. */
function asManager(facts: AuditFacts, evaluate: (docker: NonNullable<AuditFacts['docker']>) => Verdict): Verdict {
  return inSwarm(facts, (docker) =>
    at(docker.info, 'Swarm', 'ControlAvailable') === true
      ? evaluate(docker)
      : notApplicable('this host is a worker of the swarm: ask one of its managers'),
  );
}

function managers(facts: AuditFacts): Verdict {
  return asManager(facts, (docker) => {
    const count = numberAt(docker.info, 'Swarm', 'Managers');
    if (count <= 7 && count % 2 === 1) return PASS;
    const text =
      count > 7 ? 'more than seven slow each other down' : 'an even number bears no more failures than one less';
    return finding([{ place: 'swarm', text: `${count} managers: ${text}` }]);
  });
}

function boundInterface(facts: AuditFacts): Verdict {
  return inSwarm(facts, () =>
    judge(
      facts.listeners
        .filter(({ port, address }) => port === 2377 && (address === '0.0.0.0' || address === '::'))
        .map(({ address }) => ({ place: 'dockerd', text: `swarm listens on all addresses (${address}, port 2377)` })),
    ),
  );
}

function encryption(facts: AuditFacts): Verdict {
  return inSwarm(facts, (docker) =>
    judge(
      docker.networks
        .filter(({ driver, options }) => driver === 'overlay' && !options.has('encrypted'))
        .map(({ name }) => ({ place: `network ${name}`, text: 'crosses the network unencrypted' })),
    ),
  );
}

function seconds(nanoseconds: number): string {
  const days = nanoseconds / 86_400e9;
  return days >= 1 ? `${Math.round(days)} days` : `${Math.round(nanoseconds / 3600e9)} hours`;
}

export const OPERATION_CHECKS: readonly Check[] = [
  {
    id: '6.1',
    title: 'Images do not pile up',
    severity: 'info',
    why: 'Old images with known holes get started again by mistake.',
    fix: 'docker image prune --all',
    manual: true,
    evaluate: (facts) => {
      if (facts.docker === undefined) return UNANSWERED;
      const used = new Set(facts.docker.containers.map(({ image }) => image)).size;
      return forPerson('are all images needed?', [
        { place: 'dockerd', text: `${facts.docker.imageCount} images, ${used} of them used by containers` },
      ]);
    },
  },
  {
    id: '6.2',
    title: 'Containers do not pile up',
    severity: 'info',
    why: 'Stopped containers keep old images, data and sometimes secrets.',
    fix: 'docker container prune',
    manual: true,
    evaluate: (facts) => {
      if (facts.docker === undefined) return UNANSWERED;
      const running = facts.docker.containers.filter((container) => container.running).length;
      return forPerson('are all containers needed?', [
        { place: 'dockerd', text: `${facts.docker.containerCount} containers, ${running} of them running` },
      ]);
    },
  },
];

export const SWARM_CHECKS: readonly Check[] = [
  {
    id: '7.1',
    title: 'The swarm has as many managers as it needs',
    severity: 'low',
    why: 'Every manager holds the keys of the whole swarm; an even number adds risk without safety.',
    fix: 'docker node demote NAME, for 1, 3, 5 or 7 managers',
    evaluate: managers,
  },
  {
    id: '7.2',
    title: 'Swarm is bound to one interface',
    severity: 'medium',
    why: 'Its control port is for the other hosts of the swarm only.',
    fix: 'docker swarm init --listen-addr ADDRESS:2377 (when the swarm is made)',
    evaluate: boundInterface,
  },
  {
    id: '7.3',
    title: 'Overlay networks are encrypted',
    severity: 'medium',
    why: 'What containers of different hosts say to each other can be read on the network between.',
    fix: 'docker network create --driver overlay --opt encrypted NAME',
    evaluate: encryption,
  },
  {
    id: '7.4',
    title: 'Secrets are kept as swarm secrets',
    severity: 'info',
    why: 'Secrets in environment or images can be read by many.',
    fix: 'docker secret create',
    manual: true,
    evaluate: (facts) =>
      asManager(facts, (docker) =>
        (docker.secretCount ?? 0) > 0
          ? PASS
          : forPerson('do services get their secrets in another safe way?', [
              { place: 'swarm', text: 'no swarm secrets' },
            ]),
      ),
  },
  {
    id: '7.5',
    title: 'Managers are locked',
    severity: 'medium',
    why: "Without autolock the swarm's keys lie readable on the managers' disks.",
    fix: 'docker swarm update --autolock=true (and keep the key that it prints)',
    evaluate: (facts) =>
      asManager(facts, (docker) =>
        at(docker.swarm, 'Spec', 'EncryptionConfig', 'AutoLockManagers') === true
          ? PASS
          : finding([{ place: 'swarm', text: 'autolock is off' }]),
      ),
  },
  {
    id: '7.6',
    title: 'The unlock key is changed now and then',
    severity: 'info',
    why: 'Those who left still know it.',
    fix: 'docker swarm unlock-key --rotate',
    manual: true,
    evaluate: (facts) => asManager(facts, () => forPerson('when was the unlock key last changed?')),
  },
  {
    id: '7.7',
    title: "The hosts' certificates are renewed",
    severity: 'info',
    why: 'A stolen certificate is good until it expires.',
    fix: 'docker swarm update --cert-expiry 48h',
    manual: true,
    evaluate: (facts) =>
      asManager(facts, (docker) =>
        forPerson('is this short enough?', [
          {
            place: 'swarm',
            text: `certificates last ${seconds(numberAt(docker.swarm, 'Spec', 'CAConfig', 'NodeCertExpiry'))}`,
          },
        ]),
      ),
  },
  {
    id: '7.8',
    title: "The swarm's CA is renewed",
    severity: 'info',
    why: 'The CA can make a certificate for any host.',
    fix: 'docker swarm ca --rotate',
    manual: true,
    evaluate: (facts) =>
      asManager(facts, (docker) =>
        forPerson('when was the CA last renewed?', [
          {
            place: 'swarm',
            text: `created ${textAt(docker.swarm, 'CreatedAt').slice(0, 10)}, root rotated ${numberAt(docker.swarm, 'Spec', 'CAConfig', 'ForceRotate')} times`,
          },
        ]),
      ),
  },
  {
    id: '7.9',
    title: 'Management and data have networks of their own',
    severity: 'info',
    why: 'Heavy or hostile data traffic must not reach the control plane.',
    fix: 'docker swarm init --advertise-addr … --data-path-addr …',
    manual: true,
    evaluate: (facts) =>
      inSwarm(facts, (docker) =>
        forPerson('are management and data apart?', [
          { place: 'swarm', text: `address ${textAt(docker.info, 'Swarm', 'NodeAddr')}` },
        ]),
      ),
  },
];
