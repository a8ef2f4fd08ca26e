/** Checks of section 4: images, and containers started from them. */

import { textAt } from '../../../../core/domain/json.ts';
import type { ImageFact } from '../api.ts';
import type { AuditFacts } from '../audit-facts.ts';
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
  type Verdict,
} from '../check.ts';
import { runningContainers, unanswered } from './running.ts';

function withImages(facts: AuditFacts, evaluate: (images: readonly ImageFact[]) => Verdict): Verdict {
  if (facts.engine === undefined) return unanswered(facts);
  if (facts.engine.images.length === 0) return notApplicable('there are no images');
  return evaluate(facts.engine.images);
}

/** True for uid 0 in every notation: empty, root, 0, with or without a group. */
export function isRootUser(user: string): boolean {
  return /^(|root|0+)$/.test(user.split(':')[0]?.trim() ?? '');
}

/** A layer that updates the package index without installing a package. */
export function isLoneUpdate(command: string): boolean {
  return (
    // Of each step: in the whole text the search would take time that grows with its square.
    command.split(/[&|;]/).some((step) => {
      const manager = /\b(?:apt-get|apt|aptitude|yum|dnf|microdnf|zypper|apk)\b/.exec(step);
      return manager !== null && /\b(?:update|makecache|refresh)\b/.test(step.slice(manager.index + manager[0].length));
    }) && !/\b(install|add|upgrade|dist-upgrade|in)\b/.test(command)
  );
}

/** ADD layers of an image, except the one with the root file system. */
function addLayers(history: readonly string[]): readonly string[] {
  const adds = history.map((command) => /^(?:\/bin\/sh -c #\(nop\)\s+)?ADD\s+(.*)$/s.exec(command)?.[1]);
  return adds.slice(1).flatMap((add) => (add === undefined || / in \/\s*$/.test(add) ? [] : [add.trim()]));
}

function perImage(facts: AuditFacts, wrong: (image: ImageFact) => readonly string[]): Verdict {
  return withImages(facts, (images) =>
    judge(images.flatMap((image) => wrong(image).map((text): Evidence => ({ place: `image ${image.name}`, text })))),
  );
}

function imageList(facts: AuditFacts, question: string): Verdict {
  return withImages(facts, (images) =>
    forPerson(
      question,
      images.map((image) => ({ place: `image ${image.name}`, text: image.id.slice(0, 19) })),
    ),
  );
}

function contentTrust(facts: AuditFacts): Verdict {
  if (facts.podman) return notApplicable('it is about the docker command; Podman follows /etc/containers/policy.json');
  // From the release notes of 29.0: the docker command dropped content trust.
  if (Number.parseInt(textAt(facts.docker?.info, 'ServerVersion'), 10) >= 29)
    return notApplicable('Docker has no content trust from 29.0 on; pin images by digest');
  const last = facts.contentTrust.filter((line) => !line.trim().startsWith('#')).at(-1) ?? '';
  if (/DOCKER_CONTENT_TRUST\s*=?\s*["']?(1|true)\b/.test(last)) return PASS;
  return findingAt('/etc/environment', 'DOCKER_CONTENT_TRUST=1 is not set for logins: unsigned images are pulled');
}

export const IMAGE_CHECKS: readonly Check[] = checksOf<Check>({
  '4.1': {
    title: 'Containers run as a non-root user',
    failure: 'Containers run as root',
    severity: 'medium',
    why: 'Root in a container needs one hole less to become root on the host.',
    fix: 'A USER line in the Dockerfile, or `user:` in the Compose file.',
    evaluate: (facts) => runningContainers(facts, (container) => (isRootUser(container.user) ? ['runs as root'] : [])),
  },
  '4.2': manual({
    title: 'Images come from trusted bases',
    why: 'An image runs whatever its makers put in, and its base too.',
    fix: 'Use official or own bases, pinned by digest.',
    evaluate: (facts) => imageList(facts, 'does each image come from a base that you trust?'),
  }),
  '4.3': manual({
    title: 'Images hold no needless packages',
    why: 'Every program in an image is one more to attack with.',
    fix: 'Build in stages and ship a minimal last one.',
    evaluate: (facts) => imageList(facts, 'does each image hold only the packages it needs?'),
  }),
  '4.4': manual({
    title: 'Images are scanned and rebuilt for fixes',
    why: 'An image keeps the holes of the day it was built.',
    fix: 'Scan in CI and rebuild regularly.',
    evaluate: (facts) => imageList(facts, 'is each image scanned, and rebuilt when its packages get fixes?'),
  }),
  '4.5': {
    title: 'Only signed images are pulled',
    failure: 'Unsigned images can be pulled',
    severity: 'low',
    why: 'A tag can be moved to another image; a signature cannot. (Docker Content Trust is being retired: pinning by digest does the same.)',
    fix: 'echo DOCKER_CONTENT_TRUST=1 >> /etc/environment, or pin images by digest',
    evaluate: contentTrust,
  },
  '4.6': {
    title: 'Images have a health check',
    failure: 'Images have no health check',
    severity: 'low',
    why: 'Without one Docker calls a hung program healthy.',
    fix: 'HEALTHCHECK CMD … in the Dockerfile, or `healthcheck:` in the Compose file.',
    evaluate: (facts) => perImage(facts, (image) => (image.healthCheck ? [] : ['has no HEALTHCHECK'])),
  },
  '4.7': {
    title: 'Images do not update the package index alone',
    failure: 'Images update the package index alone',
    severity: 'low',
    why: 'The layer is cached: later installs come from an old index, without fixes.',
    fix: 'RUN apt-get update && apt-get install -y … in one line',
    evaluate: (facts) =>
      perImage(facts, (image) => image.history.filter(isLoneUpdate).map((command) => `separate layer: ${command}`)),
  },
  '4.8': manual({
    title: 'Images have no needless setuid programs',
    why: 'A setuid program with a hole gives root in the container.',
    fix: 'RUN find / -xdev -perm /6000 -type f -exec chmod a-s {} + in the Dockerfile; no-new-privileges makes them harmless.',
    evaluate: (facts) => imageList(facts, 'are there setuid programs in the images that are not needed?'),
  }),
  '4.9': {
    title: 'Images are made with COPY, not ADD',
    failure: 'Images are made with ADD',
    severity: 'low',
    why: 'ADD unpacks archives and fetches URLs, so what gets in depends on others.',
    fix: 'COPY in place of ADD; curl with a checksum for URLs.',
    evaluate: (facts) => perImage(facts, (image) => addLayers(image.history).map((add) => `ADD ${add}`)),
  },
  '4.10': manual({
    title: 'Images hold no secrets',
    why: 'Anyone who can pull an image can read all its layers, deleted files included.',
    fix: 'RUN --mount=type=secret for builds; secrets or mounted files at run time.',
    evaluate: (facts) =>
      imageList(facts, 'are there secrets in layers or ENV of the images? (audit --dockerfile helps)'),
  }),
  '4.11': manual({
    title: 'Only verified packages are installed',
    why: 'A package without a checked signature can be anything.',
    fix: 'Package managers with signed sources; checksums for all else.',
    evaluate: (facts) => imageList(facts, 'do the builds install verified packages only?'),
  }),
  '4.12': manual({
    title: 'Signed artifacts are validated',
    why: 'A signature that is not checked protects no host.',
    fix: 'cosign verify, or notation verify, before a deployment.',
    evaluate: (facts) => imageList(facts, 'are signatures checked before images are deployed?'),
  }),
});
