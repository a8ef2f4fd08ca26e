/** Checks of sections 6 and 7: number of images and containers, and swarm mode. */

import { at, textAt } from '../../../../core/domain/json.ts';
import { numberAt } from '../api.ts';
import type { AuditFacts } from '../audit-facts.ts';
import { readCertificates } from '../certificates.ts';
import {
  type Check,
  checksOf,
  type Evidence,
  findingAt,
  forPerson,
  judge,
  manual,
  notApplicable,
  PASS,
  UNANSWERED,
  type Verdict,
} from '../check.ts';
import { unanswered } from './running.ts';

const engineName = ({ podman }: AuditFacts): string => (podman ? 'podman' : 'dockerd');

function inSwarm(facts: AuditFacts, evaluate: (docker: NonNullable<AuditFacts['docker']>) => Verdict): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  if (textAt(facts.docker.info, 'Swarm', 'LocalNodeState') !== 'active') return notApplicable('swarm mode is off');
  return evaluate(facts.docker);
}

/** Judges data that only a swarm manager has. */
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
    return findingAt('swarm', `${count} managers: ${text}`);
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

const DAY_MS = 86_400_000;

/**
 * A node renews its certificate at half of its lifetime, so less than a fifth left means that renewal failed. The CA is renewed by hand.
 */
function certificates(facts: AuditFacts, now: Date): Verdict {
  return inSwarm(facts, () => {
    const { swarmNode, swarmCa } = facts.software;
    const node = readCertificates(swarmNode).slice(0, 1);
    const authorities = readCertificates(swarmCa);
    if (node.length === 0) return notApplicable('the certificate of this node was not found');
    const left = ({ notAfter }: { notAfter: Date }) => notAfter.getTime() - now.getTime();
    const say = (place: string, days: number): Evidence => ({
      place,
      text: days < 0 ? `expired ${-days} days ago: dockerd does not start again` : `expires in ${days} days`,
    });
    return judge([
      ...node
        .filter((one) => left(one) < (one.notAfter.getTime() - one.notBefore.getTime()) / 5)
        .map((one) => say('certificate of this node', Math.floor(left(one) / DAY_MS))),
      ...authorities
        .filter((one) => left(one) < 30 * DAY_MS)
        .map((one) => say('CA of the swarm', Math.floor(left(one) / DAY_MS))),
    ]);
  });
}

function seconds(nanoseconds: number): string {
  const days = nanoseconds / 86_400e9;
  return days >= 1 ? `${Math.round(days)} days` : `${Math.round(nanoseconds / 3600e9)} hours`;
}

export const OPERATION_CHECKS: readonly Check[] = checksOf<Check>({
  '6.1': manual({
    title: 'Images do not pile up',
    why: 'Old images with known holes get started again by mistake.',
    fix: 'docker image prune --all',
    evaluate: (facts) => {
      if (facts.engine === undefined) return unanswered(facts);
      const used = new Set(facts.engine.containers.map(({ image }) => image)).size;
      return forPerson('are all images needed?', [
        { place: engineName(facts), text: `${facts.engine.imageCount} images, ${used} of them used by containers` },
      ]);
    },
  }),
  '6.2': manual({
    title: 'Containers do not pile up',
    why: 'Stopped containers keep old images, data and sometimes secrets.',
    fix: 'docker container prune',
    evaluate: (facts) => {
      if (facts.engine === undefined) return unanswered(facts);
      const running = facts.engine.containers.filter((container) => container.running).length;
      return forPerson('are all containers needed?', [
        { place: engineName(facts), text: `${facts.engine.containerCount} containers, ${running} of them running` },
      ]);
    },
  }),
});

export const SWARM_CHECKS: readonly Check[] = checksOf<Check>({
  'swarm.1': {
    title: "The swarm's certificates are renewed in time",
    failure: "The swarm's certificates expire",
    severity: 'high',
    why: 'A node with an expired certificate is out of the swarm, and its dockerd does not start again (moby#24132).',
    fix: 'docker swarm ca --rotate on a manager; a node that is out: docker swarm leave --force, then join again',
    evaluate: (facts, outside) => certificates(facts, outside.now),
  },
  '7.1': {
    title: 'The swarm has as many managers as it needs',
    failure: 'The swarm has too many managers, or an even number',
    severity: 'low',
    why: 'Every manager holds the keys of the whole swarm; an even number adds risk without safety.',
    fix: 'docker node demote NAME, for 1, 3, 5 or 7 managers',
    evaluate: managers,
  },
  '7.2': {
    title: 'Swarm is bound to one interface',
    failure: 'Swarm listens on every interface',
    severity: 'medium',
    why: 'Its control port is for the other hosts of the swarm only.',
    fix: 'docker swarm init --listen-addr ADDRESS:2377 (when the swarm is made)',
    evaluate: boundInterface,
  },
  '7.3': {
    title: 'Overlay networks are encrypted',
    failure: 'Overlay networks are not encrypted',
    severity: 'medium',
    why: 'The network between the hosts can read the traffic of containers.',
    fix: 'docker network create --driver overlay --opt encrypted NAME',
    evaluate: encryption,
  },
  '7.4': manual({
    title: 'Secrets are kept as swarm secrets',
    why: 'Secrets in environment or images can be read by many.',
    fix: 'docker secret create',
    evaluate: (facts) =>
      asManager(facts, (docker) =>
        (docker.secretCount ?? 0) > 0
          ? PASS
          : forPerson('do services get their secrets in another safe way?', [
              { place: 'swarm', text: 'no swarm secrets' },
            ]),
      ),
  }),
  '7.5': {
    title: 'Managers are locked',
    failure: 'Managers are not locked',
    severity: 'medium',
    why: "Without autolock the swarm's keys lie readable on the managers' disks.",
    fix: 'docker swarm update --autolock=true (and keep the key that it prints)',
    evaluate: (facts) =>
      asManager(facts, (docker) =>
        at(docker.swarm, 'Spec', 'EncryptionConfig', 'AutoLockManagers') === true
          ? PASS
          : findingAt('swarm', 'autolock is off'),
      ),
  },
  '7.6': manual({
    title: 'The unlock key is changed now and then',
    why: 'Those who left still know it.',
    fix: 'docker swarm unlock-key --rotate',
    evaluate: (facts) => asManager(facts, () => forPerson('when was the unlock key last changed?')),
  }),
  '7.7': manual({
    title: "The hosts' certificates are renewed",
    why: 'A stolen certificate is good until it expires.',
    fix: 'docker swarm update --cert-expiry 48h',
    evaluate: (facts) =>
      asManager(facts, (docker) =>
        forPerson('is this short enough?', [
          {
            place: 'swarm',
            text: `certificates last ${seconds(numberAt(docker.swarm, 'Spec', 'CAConfig', 'NodeCertExpiry'))}`,
          },
        ]),
      ),
  }),
  '7.8': manual({
    title: "The swarm's CA is renewed",
    why: 'The CA can make a certificate for any host.',
    fix: 'docker swarm ca --rotate',
    evaluate: (facts) =>
      asManager(facts, (docker) =>
        forPerson('when was the CA last renewed?', [
          {
            place: 'swarm',
            text: `created ${textAt(docker.swarm, 'CreatedAt').slice(0, 10)}, root rotated ${numberAt(docker.swarm, 'Spec', 'CAConfig', 'ForceRotate')} times`,
          },
        ]),
      ),
  }),
  '7.9': manual({
    title: 'Management and data use separate networks',
    why: 'Heavy or hostile data traffic must not reach the control plane.',
    fix: 'docker swarm init --advertise-addr … --data-path-addr …',
    evaluate: (facts) =>
      inSwarm(facts, (docker) =>
        forPerson('are management and data apart?', [
          { place: 'swarm', text: `address ${textAt(docker.info, 'Swarm', 'NodeAddr')}` },
        ]),
      ),
  }),
});
