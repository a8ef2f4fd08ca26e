/** Docs/audit.md, and docs/lists/checks.md: every check with its fix, made from the checks themselves. */

import { levelOf } from '../../../../src/features/audit/domain/benchmark.ts';
import { CHECK_GROUPS, type Check, checkGroup } from '../../../../src/features/audit/domain/check.ts';
import { CHECKS, fixWords } from '../../../../src/features/audit/domain/evaluate.ts';
import { COMPOSE_CHECKS } from '../../../../src/features/audit/domain/files/compose.ts';
import { DOCKERFILE_CHECKS } from '../../../../src/features/audit/domain/files/dockerfile.ts';
import { ALL_FIXES, fixCommand } from '../../../../src/features/audit/domain/fixes.ts';
import { BUILT_IN } from '../../../../src/features/audit/domain/vulnerability-table.ts';
import { renderBenchDoc } from '../../../support/bench-doc.ts';

type Row = Omit<Check, 'evaluate'>;

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*');
}

function table(rows: readonly Row[]): readonly string[] {
  return [
    '| check | severity | CIS level | what | why | how to fix | `docker-tls …` |',
    '|---|---|---|---|---|---|---|',
    ...rows.map(
      ({ id, severity, title, why, fix, fixable, manual }) =>
        `| ${id} | ${manual === true ? 'manual' : severity} | ${levelOf(id) ?? ''} | ${cell(title)} | ${cell(why)} | ${marked(cell(fixWords({ fix }, 'HOST')))} | ${fixable === undefined ? '' : `\`${fixCommand(fixable)}\``} |`,
    ),
  ];
}

/** The page about `audit`. */
export function renderAuditDoc(): string {
  return `${[
    '<!-- page: audit -->',
    '<!-- Written in test/features/audit/support/checks-doc.ts. -->',
    '# Audit',
    '',
    'Every check, with its reason and its fix, is in [checks](lists/checks.md).',
    '',
    'Plain numbers are those of the CIS Docker Benchmark 1.8. `audit --benchmark 1.6` (or 1.7) uses those of that edition, in reports, `--check` and baseline:',
    'there 2.8 to 2.19 of 1.8 are 2.7 to 2.18. SARIF has all three as tags.',
    '`--level 1` judges only controls of Level 1 of the benchmark, `--level 2` all of them; the checks of docker-tls itself have no level. A report of a part of the checks says so.',
    '`compose.` and `dockerfile.` before a number mark the same check for files. A check passes, is a finding (with place and evidence), or does not apply (with the reason). A single finding can be more or less severe',
    'than its check. A manual check is a question to the administrator, and never a finding.',
    '',
    '`audit --compose FILE` reads what `docker compose config` reads: `include`, `extends`, `env_file`, `.env` with all forms of interpolation, anchors, `!reset` and `!override`. A file of a default name',
    'stands for the project in its directory, with `compose.override.yml` or the files of `COMPOSE_FILE`. Several files are one project with the separator of `COMPOSE_FILE`:',
    '`--compose compose.yml:prod.yml`. It covers the services of all profiles. Variables come from .env and defaults, not from the shell that runs the audit. A finding shows the text of the Compose file, never the value that an env file gives it. A file, or a setting with rights on the host, that cannot be read is a finding of compose.unread, never a pass.',
    '',
    'The score is the share of the applicable checks that pass, weighted by severity (critical 20, high 10, medium 4, low 1, info 0). While a',
    'critical finding is open it counts up to 29, while a high one is open up to 59. Findings that a baseline or a comment accepts do not count.',
    '',
    "It has two parts. Fixable now counts. Waits for a package does not: vulnerabilities, and an old version of Docker, while apt's index offers nothing newer than",
    'the installed package. That needs an index of at most 14 days; without one, and on hosts without apt, they are fixable now. `--fail-on` looks at both parts.',
    '',
    "While Docker's API does not answer, there is no score: config.5 is a critical finding, and `--compare` reports none of the checks that need it as gone.",
    'The same holds for the checks of an sshd that rejects its configuration (ssh.8).',
    '',
    '## Isolation, tried from inside',
    '',
    '`audit --probe-containers` starts containers on each host that try to get out, as the TLS probes do from outside. It asks first; `--yes` answers.',
    "The image is made of the host's own perl and cat: nothing is fetched. The containers have the options of a plain `docker run`, and try:",
    '',
    "- a listener of the audit on the host's 127.0.0.1, by a raw packet to the bridge as well (CVE-2020-8558: isolation.1), and one on the address of docker0 (isolation.2); from a rootless daemon, its gateway and an address of the host",
    "- Docker's API: sockets inside, and plain HTTP on 2375, 2376 and the daemon's ports (isolation.3); 169.254.169.254, a connection only (isolation.4)",
    '- the container in the other network (isolation.5), the one on the same bridge (2.2), and a raw socket (isolation.6)',
    '- `unshare` of a user namespace and `keyctl`, which the default seccomp profile forbids (2.18); a set-user-ID program of root (2.15); user IDs of root (2.10)',
    '',
    'A container that got through is a finding of 2.2, 2.10, 2.15 or 2.18 whatever daemon.json says. An attempt that was not possible (no perl, no docker command, no default bridge, Podman; a listener of ours that does not answer) does not count as a pass,',
    'and there is no score. Everything has the label `docker-tls.probe` and is removed after some ten seconds, even if the audit is killed; after a power cut, by the next run.',
    '',
    '## The audit log, end to end',
    '',
    '`audit --probe-auditd` opens daemon.json, /etc/default/docker and docker.service for writing, where they exist, and changes neither content nor times. The kernel records the attempt if a rule watches the file,',
    'and host.18 looks for the record in the log of auditd. It asks nothing, leaves one record for each file, and opens no file that a path unit of systemd watches.',
    '',
    '## Accept findings and compare reports',
    '',
    '`audit --baseline accepted.yaml` reads accepted findings, in YAML or JSON:',
    '',
    '```yaml',
    'accept:',
    '  - check: "2.10"              # an id, or the beginning of several: "1.1.*"',
    '    reason: images are shared with the build farm',
    '    expires: 2027-06-30       # the last day of the acceptance (UTC); after that the finding counts again',
    '  - check: "5.32"',
    "    host: build-1             # only there: a host's name, or the path of a Compose file or Dockerfile",
    '    place: container portainer   # only that: the `place` of the evidence in `--json` (and its `text`, as `text:`)',
    '    reason: it manages the host',
    '    expires: 2027-03-31',
    '```',
    '',
    '`check`, `reason` and `expires` are required. Unknown keys, unknown checks and invalid dates are refused, all at once and with their lines. An expired entry',
    'is reported on every run. `--fail-on` and the score ignore accepted findings; SARIF marks them as suppressed, also single places.',
    '',
    '`audit --write-baseline accepted.yaml --reason TEXT --expires DATE` writes such a file with an entry for each place of an open finding, and for each text in a Dockerfile, whose places are only RUN or COPY.',
    'With `--baseline` it keeps the entries whose last day is not over.',
    '',
    'A comment accepts a finding where it is, in a Compose file behind the line or above it, in a Dockerfile above the instruction (also one in `dockerfile_inline`). It needs a reason, and has no last day:',
    '',
    '```yaml',
    '    # docker-tls ignore=compose.5.5 builds images, and runs on the build farm only',
    '    privileged: true',
    '```',
    '',
    '`--compare REPORT` compares with the output of an earlier `audit --json`, by host or file, check and place. A finding is gone if its check ran again and no',
    'longer finds it. A finding that is accepted now is neither gone nor new. An expired acceptance makes its finding new.',
    '',
    '## Reports as evidence',
    '',
    'Every JSON and HTML report names who made it (user and computer), when, and with which program: docker-tls by version and SHA-256 (of the single executable, or of',
    '`cd dist && find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum`). For each host they have:',
    '',
    '- the machine ID, hashed: `printf %s \'docker-tls audit\' | openssl dgst -sha256 -hmac "$(cat /etc/machine-id)"`',
    "- the SSH host key that the connection saw, and those in the host's files",
    "- SHA-256 of dockerd's certificate and trusted CAs",
    "- the host's clock and the auditor's",
    '- SHA-256 of all facts that the host sent',
    '',
    '`audit --out report.json --sign KEY` signs the file (in any form) with an SSH key of type ed25519, ecdsa or rsa that only its owner can read, and asks for its passphrase. An identity of age',
    'signs too. `report.json.sig` is a',
    'detached signature of OpenSSH (SSHSIG) with the namespace `docker-tls-audit`. Who may sign is in a file of allowed signers',
    '(ssh-keygen(1)), by default `~/.ssh/allowed_signers`. For `--check-signature` a line may also have the recipient of an identity of age (`ada@example.org age1…`):',
    '',
    '    echo "ada@example.org $(cat key.pub)" > signers',
    '    docker-tls audit --check-signature report.json --signers signers',
    '    ssh-keygen -Y verify -f signers -I ada@example.org -n docker-tls-audit -s report.json.sig < report.json',
    '',
    '<!-- team -->',
    "With a [shared store](team.md), `--sign` alone (last, or before another option) signs with your operator's key, also from an agent. Without `--signers`, only its operators count.",
    "A removed operator's signature counts only with `--accept-removed`, on a JSON report dated before the removal. The signer chose that date. An operator without the CA counts until removed.",
    '<!-- /team -->',
    '',
    'The signature shows that the holder of the key wrote exactly this file. It does not show that the host told the truth.',
    '',
    '## Reports for other tools',
    '',
    '`--format sarif` is for code scanning, `junit` for CI. `--format hdf` (or a name that ends with `.hdf.json`) is the JSON of an InSpec run, for [Heimdall](https://github.com/mitre/heimdall2) and other readers of the Heimdall Data Format.',
    'Each host or file is a profile (with an error, if a host was not audited), accepted findings are waivers, and controls have the numbers and the level of the benchmark as tags. There is no report in OSCAL.',
    '',
    '## Known vulnerabilities',
    '',
    `The checks vuln.engine to vuln.buildx compare the installed packages with a table of ${BUILT_IN.entries.length} entries (\`src/features/audit/domain/vulnerabilities.json\`, sources read up to`,
    `${BUILT_IN.date}; every report names the date). Each open entry is evidence with its id as place, so a baseline can accept it alone. The severity of a`,
    'finding is that of its gravest entry, and `--fail-on` sees it. `status` and every report name the package whose upgrade closes most of them.',
    '',
    '| package | fixed is | open is |',
    '|---|---|---|',
    '| docker-ce, docker-ce-cli, containerd.io, docker-buildx-plugin, docker-compose-plugin; a program that no package brought | a version outside of the affected ranges | a version inside |',
    '| of a distribution (docker.io, containerd, runc, moby-engine …), with its changelog on the host | a version outside, or an id that the changelog names | a version inside, and an id that it does not name |',
    '| of a distribution, without a changelog (minimised images), or of a year whose entries may be removed from it (rpm: of its first year and before); a host without dpkg and rpm | a version outside | nothing: the check says "cannot tell" and does not count |',
    '',
    'Only the ids in a changelog leave the host. Vulnerabilities that also need a feature count only where it is in use: an authorization plugin, firewalld, a swarm,',
    "containerd's CRI plugin (low where no Kubernetes uses it). BuildKit is judged by the engine that holds it. The versions are those that run; the clients have that",
    'of their package. Severities are those of the CVE record or the vendor; where there is none the evidence says "no score published", and the severity is ours.',
    '',
    'The table follows [golang/vulndb](https://github.com/golang/vulndb) (CC-BY-4.0) and the release notes of [moby](https://github.com/moby/moby/releases).',
    '`audit --vulnerabilities FILE` reads a newer table without a new release: the vulnerabilities.json of a newer docker-tls, or one that the script wrote. A table',
    'is refused if it lacks a component, has an entry that this version cannot read, or has a date in the future. docker-tls cannot see that single entries are missing:',
    '`--vulnerabilities-sha256 HASH` pins the file to the hash that its maker names.',
    'A run says if the table is older than the built-in one, and every report if it is older than six months. `node scripts/vulnerabilities.mjs CHECKOUT` writes a table from a checkout of vulndb.',
    '',
    '## Limits of the audit',
    '',
    '- The contents of images (packages, setuid programs, secrets in layers: 4.2 to 4.4, 4.8, 4.10 to 4.12). Use a scanner such as trivy or grype; the audit lists the images.',
    '- Past actions (5.23, 5.24): the audit sees only what runs now. Where audit rules are loaded, the audit log has the rest.',
    '- The host beyond Docker and sshd (1.2.1): use `lynis audit system`.',
    "- Combinations of sshd's `Match` blocks. Each is judged alone, and an Include inside one is read as if it were outside. Of sshd's command line, `-o` and `-f` count.",
    '- Audit rules where the kernel does not let the host list them, as in a container: reported, not a finding.',
    '- More than 300 containers or 200 images on a host: the audit judges the first ones, running containers first, and config.5 reports the total.',
    '- Parts of a Compose project on other machines (`include` of a git repository or an OCI artifact), and values of the shell that starts Compose: compose.unread names them.',
    '- The target of a bind-mounted symbolic link: 5.6 and 5.32 judge its name.',
    '- Podman in the place of Docker: the audit judges containers and images where it answers (`podman.socket`, podman-docker), but not its own settings.<!-- podman --> Of a [host of Podman](hosts.md#podman) it also judges the TLS and the files of the service.<!-- /podman -->',
    '- What only root can read, on a host that was set up with `--rootless`: the audit runs as that user. <!-- rootless -->',
    '- A rootless daemon beside a rootful one: the audit judges the daemon behind /var/run/docker.sock, and 2.1 names the socket of the other.',
  ].join('\n')}\n`;
}

export function renderChecksDoc(): string {
  const all: readonly Row[] = [...CHECKS, ...COMPOSE_CHECKS, ...DOCKERFILE_CHECKS];
  const names = [...new Set(CHECK_GROUPS.map(([, name]) => name))];
  const groups = names.flatMap((name) => {
    const rows = all.filter(({ id }) => checkGroup(id) === name);
    const title = name === 'Known vulnerabilities' ? 'Checks of known vulnerabilities' : name;
    return rows.length === 0 ? [] : ['', `## ${title}`, '', ...table(rows)];
  });
  return `${[
    '<!-- page: audit -->',
    '# The checks of `docker-tls audit`',
    '',
    'This page is generated from the checks (`UPDATE_DOCS=1 npx vitest run test/features/audit/unit/audit-docs.test.ts`); do not edit it by hand.',
    '[Audit](../audit.md) says how they are judged, accepted and reported.',
    ...groups,
    '',
    '## What `harden` fixes, and what it costs',
    '',
    '| fix | what it does | what it costs |',
    '|---|---|---|',
    ...ALL_FIXES.map(({ name, title, cost }) => `| \`${name}\` | ${cell(title)} | ${cell(cost ?? '')} |`),
    '',
    '## Manual checks of the benchmark that the audit decides',
    '',
    'The benchmark calls 2.9 and 5.30 manual. The audit decides them: default limits are set or not (2.9), and a container is on the default bridge or not (5.30).',
    'Whether the limits suit a host remains your decision. Both are low, have a fix, and can be accepted in a baseline.',
    '',
    ...renderBenchDoc(),
    '',
    '## Limits of the tests',
    '',
    'The verdicts are tested on facts of real hosts (`test/features/audit/golden/audit`) of three Docker generations. Each is recorded fresh, after setup, after harden, hardened by',
    'hand, with user namespaces, and with everything wrong. `test/e2e/audit.test.ts` tests from outside which clients are accepted.',
    '',
    'Misconfigurations beside clean twins, by `npx vitest run test/features/audit/unit/{audit-corpus,compose-misconfigurations,dockerfile-misconfigurations}.test.ts`: 63 hosts and 40 containers, recorded on lab hosts',
    '(`test/features/audit/golden/corpus`), more than 90 Compose files and 80 Dockerfiles. All of them are found, and no clean twin is a false alarm.',
    '',
    "Those hosts are containers. Checks that depend on the kernel are tested both ways on a virtual machine with Debian's kernel (the recordings `…-trixie-vm`, and",
    '`test/e2e/kernel.test.ts`): audit rules (1.1.3 to 1.1.18), AppArmor (5.2), and limits of memory, CPU and processes (5.11, 5.12, 5.29).',
    '',
    "Some cases are tested on altered facts only. These are containers with SELinux labels (5.3 was seen as a finding, because Debian's Docker labels no container), aufs and",
    'devicemapper (2.6, 2.12), a dockerd older than 17.06 (tls.4 was only seen passing), and more than one swarm manager (7.2).',
  ].join('\n')}\n`;
}

/** A fix by sockets with a role, or by another CA, between the marks of the feature that makes it. */
function marked(text: string): string {
  return text
    .replace(/ A socket with a role: .*$/, '<!-- haproxy -->$&<!-- /haproxy -->')
    .replace(/ \(docker-tls rotate ca .*\)$/, '<!-- ca-rotation -->$&<!-- /ca-rotation -->')
    .replace(/^docker-tls rotate ca$/, 'Replace the CA<!-- ca-rotation -->: $&<!-- /ca-rotation -->')
    .replace(/ \(docker-tls ca import\)/, '<!-- issuers -->$&<!-- /issuers -->');
}
