/** Owns docs/checks.md: every check with its fix, made from the checks themselves. */

import { type Check, GROUPS, groupOf } from '../../src/domain/audit/check.ts';
import { CHECKS } from '../../src/domain/audit/evaluate.ts';
import { COMPOSE_CHECKS } from '../../src/domain/audit/files/compose.ts';
import { DOCKERFILE_CHECKS } from '../../src/domain/audit/files/dockerfile.ts';
import { ALL_FIXES, fixCommand } from '../../src/domain/audit/fixes.ts';
import { renderBenchDoc } from './bench-doc.ts';

type Row = Omit<Check, 'evaluate'>;

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*');
}

function table(rows: readonly Row[]): readonly string[] {
  return [
    '| check | severity | what | why | how to fix | `docker-tls …` |',
    '|---|---|---|---|---|---|',
    ...rows.map(
      ({ id, severity, title, why, fix, fixable, manual }) =>
        `| ${id} | ${manual === true ? 'a person judges' : severity} | ${cell(title)} | ${cell(why)} | ${cell(fix)} | ${fixable === undefined ? '' : `\`${fixCommand(fixable)}\``} |`,
    ),
  ];
}

export function renderChecksDoc(): string {
  const all: readonly Row[] = [...CHECKS, ...COMPOSE_CHECKS, ...DOCKERFILE_CHECKS];
  const names = [...new Set(GROUPS.map(([, name]) => name))];
  const groups = names.flatMap((name) => {
    const rows = all.filter(({ id }) => groupOf(id) === name);
    return rows.length === 0 ? [] : ['', `## ${name}`, '', ...table(rows)];
  });
  return `${[
    '# The checks of `docker-tls audit`',
    '',
    'Made from the checks themselves (`UPDATE_DOCS=1 npx vitest run test/unit/audit-docs.test.ts`); do not edit by hand.',
    '',
    'Numbers without a word in front are those of the CIS Docker Benchmark 1.6, as docker-bench-security prints them; `compose.` and `dockerfile.` stand',
    'before the same numbers for files. A check has three answers: it passes, it is a finding (with place and evidence), or it is not applicable (with the reason).',
    'A finding can be graver or lighter than its check usually is. What only a person can judge is not applicable, and says what to ask.',
    '',
    'The score is the share of the applicable checks that pass, weighted by severity (critical 20, high 10, medium 4, low 1, info 0). One open critical',
    "finding holds it below 40, one open high finding below 70. Accepted findings (baseline) count neither way. While Docker's API does not answer there is no",
    'score: half of the checks cannot be judged then, config.5 is a critical finding, and `--compare` calls nothing of that gone. The same goes for the checks of',
    'an sshd that does not take its configuration (ssh.8).',
    '',
    '## Accepting findings, and comparing',
    '',
    '`audit --baseline accepted.yaml` reads findings that somebody accepted, in YAML or JSON:',
    '',
    '```yaml',
    'accept:',
    '  - check: "2.9"              # an id, or the beginning of several: "1.1.*"',
    '    reason: images are shared with the build farm',
    '    expires: 2027-06-30       # the last day on which it is accepted (UTC); then it counts again',
    '  - check: "5.32"',
    '    host: build-1             # only there: a name in the fleet file or store, or the path of a Compose file or Dockerfile',
    '    place: container portainer   # only that: the `place` of the evidence in `--json`',
    '    reason: it manages the host',
    '    expires: 2027-03-31',
    '```',
    '',
    '`check`, `reason` and `expires` have to be there. Unknown keys and checks, and days that there are not, are refused, all at once and with their lines; an entry',
    'that is over is named at every run. `--fail-on` and the score leave accepted findings out, SARIF has them as suppressed.',
    '',
    '`--compare REPORT` takes what `audit --json` printed before, and compares by host or file, check and place. Gone is what was judged again and is no longer',
    'found; what is accepted now is neither gone nor new, and an acceptance that is over makes its finding new.',
    ...groups,
    '',
    '## What `harden` fixes, and what it costs',
    '',
    '| fix | what it does | what it costs |',
    '|---|---|---|',
    ...ALL_FIXES.map(({ name, title, cost }) => `| \`${name}\` | ${cell(title)} | ${cell(cost ?? '')} |`),
    '',
    '## What is not covered, and why',
    '',
    '- The contents of images (packages, setuid programs, secrets in layers: 4.2 to 4.4, 4.8, 4.10 to 4.12): that takes a scanner such as trivy or grype. The audit lists the images for the person who judges.',
    '- What was done in the past (5.23, 5.24): only what runs now is seen; the audit log tells the rest, where rules are loaded.',
    '- The host beyond Docker and sshd (1.2.1): `lynis audit system` does that.',
    "- `Match` blocks of sshd are read one by one from the file that it reads and what that includes: two that match the same login are not laid over each other, and an Include inside of one is read as if it stood outside. Of sshd's own command line `-o` and `-f` count.",
    '- Audit rules where the kernel does not let the host ask, as in a container: said, not failed.',
    '- More than 300 containers or 200 images of a host: the first ones are judged, containers that run before others, and config.5 says how many there are.',
    '- What a Compose file takes from other files (`extends: { file }`, `include`, `env_file`, a second `-f`) and `dockerfile_inline`: each file is judged by itself; `docker compose config` makes one of them.',
    '- A bind mount of a symbolic link: 5.6 and 5.32 judge its name, not what it leads to (docker-bench-security does the same).',
    "- Podman behind Docker's socket (podman-docker): that it is there is said, and nothing of it is judged.",
    '- A rootless daemon beside a rootful one: the one behind /var/run/docker.sock is judged, and 2.1 names the socket of the other.',
    '',
    '## Where a program judges what the benchmark leaves to a person',
    '',
    'The benchmark calls 2.8 and 5.30 manual. Here they are findings, since the question has an answer: default limits are set or not (2.8; whether the',
    'numbers suit a host stays a question for people), and a container is on the default bridge or not (5.30). Both are low, have a fix, and can be accepted in a baseline.',
    '',
    ...renderBenchDoc(),
    '',
    '## What no lab host could show',
    '',
    'The verdicts are tested on facts of real hosts (test/golden/audit): three generations, each fresh, after setup, after harden, hardened by hand, with user',
    'namespaces, and with everything wrong; who gets in is tried from outside by test/e2e/audit.test.ts. Those are containers on the kernel of this machine; what takes',
    "a kernel of its own is seen both ways on a virtual machine with Debian's (the recordings `…-trixie-vm`, and test/e2e/kernel.test.ts): rules of the kernel's auditing",
    '(1.1.3 to 1.1.18), AppArmor (5.2), and control groups that limit memory, CPU and processes (5.11, 5.12, 5.29). Tested on altered facts only: containers',
    "with SELinux labels (5.3 was seen as a finding, with Debian's policy: its Docker labels no container), aufs and devicemapper (2.6, 2.11), a",
    'dockerd from before 17.06 (tls.4 is only seen passing), and more than one swarm manager (7.2).',
  ].join('\n')}\n`;
}
