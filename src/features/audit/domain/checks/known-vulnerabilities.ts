/** Checks for known vulnerabilities: one per Docker component; each table entry is a piece of evidence. */

import { textsAt } from '../../../../core/domain/json.ts';
import type { AuditFacts } from '../audit-facts.ts';
import {
  type Check,
  checksOf,
  type Evidence,
  finding,
  findingAt,
  judge,
  notApplicable,
  type Outside,
  PASS,
  UNANSWERED,
  type Verdict,
} from '../check.ts';
import { assess, awaitedPackage, criEnabled, installed, type Open } from '../vulnerabilities.ts';
import type { Component } from '../vulnerability-table.ts';

const NAMES: Readonly<Record<Component, string>> = {
  engine: 'Docker Engine',
  buildkit: 'BuildKit in the engine',
  containerd: 'containerd',
  runc: 'runc',
  cli: 'the docker command',
  compose: 'Docker Compose',
  buildx: 'buildx',
};

function evidenceOf({
  vulnerability,
  installed: { version, details, package: name },
  severity,
  fixed,
}: Open): Evidence {
  const { id, summary, unscored } = vulnerability;
  const where = name === undefined || details?.version === version ? '' : `, package ${name} ${details?.version}`;
  const score = unscored ? `${severity}, no score published` : severity;
  return { place: id, text: `${summary} (${score}; installed ${version}${where}; fixed in ${fixed})`, severity };
}

function judgeComponent(facts: AuditFacts, component: Component, { table, now }: Outside): Verdict {
  const found = assess(facts, component, table);
  if (found === undefined) {
    const expected =
      component === 'engine' || component === 'buildkit' || component === 'containerd' || component === 'runc';
    if (!expected) return notApplicable('not installed by a package');
    return facts.docker === undefined ? UNANSWERED : notApplicable('cannot tell: it does not say which version it is');
  }
  const first = found.open[0];
  if (first !== undefined)
    return { ...finding(found.open.map(evidenceOf), first.severity), waits: awaitedPackage(facts, component, now) };
  if (found.unknown.length === 0) return PASS;
  const { package: name, version } = installed(facts, component) ?? {};
  return notApplicable(
    `cannot tell: ${name ?? `${component}, which no package brought,`} ${version} is in the range of ${found.unknown.length} known vulnerabilities, and no changelog on the host says which of them are fixed`,
    found.unknown.map(({ id, summary }) => ({ place: id, text: summary })),
  );
}

/** A bypassed authorization plugin makes no decision, whatever other vulnerabilities the engine has. */
function bypassedPlugin(facts: AuditFacts, { table, now }: Outside): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  const plugins = textsAt(facts.docker.info, 'Plugins', 'Authorization');
  if (plugins.length === 0) return notApplicable('no authorization plugin');
  const open = assess(facts, 'engine', table)?.open ?? [];
  const bypasses = open.filter(({ vulnerability }) => vulnerability.needs === 'authorization-plugin');
  const verdict = judge(
    bypasses.map(({ vulnerability, fixed, severity }) => ({
      place: `plugin ${plugins.join(', ')}`,
      text: `is bypassed by ${vulnerability.id}: ${vulnerability.summary}; fixed in ${fixed}`,
      severity,
    })),
    bypasses[0]?.severity,
  );
  return verdict.state === 'finding' ? { ...verdict, waits: awaitedPackage(facts, 'engine', now) } : verdict;
}

function cri(facts: AuditFacts): Verdict {
  if (facts.units.get('containerd.service')?.get('ActiveState')?.[0] !== 'active')
    return notApplicable('containerd does not run as a separate service');
  if (facts.software.kubelet) return notApplicable('Kubernetes runs here and needs it');
  if (!criEnabled(facts)) return PASS;
  const text = 'does not disable the CRI plugin, unused by Docker';
  return findingAt('/etc/containerd/config.toml', text);
}

const CHECKED: readonly Component[] = ['engine', 'buildkit', 'containerd', 'runc', 'cli', 'compose', 'buildx'];

export const VULNERABILITY_CHECKS: readonly Check[] = [
  ...CHECKED.map(
    (component): Check => ({
      id: `vuln.${component}`,
      title: `No vulnerability is known of ${NAMES[component]}`,
      failure: `Known vulnerabilities of ${NAMES[component]}`,
      severity: 'high',
      why: 'Attackers try known vulnerabilities first, and most of these have public exploits.',
      fix: 'Upgrade the package to a version that has the fix; then restart what runs it (systemctl restart containerd docker).',
      evaluate: (facts, outside) => judgeComponent(facts, component, outside),
    }),
  ),
  ...checksOf<Check>({
    'vuln.plugin': {
      title: 'The authorization plugin cannot be bypassed',
      failure: 'The authorization plugin can be bypassed',
      severity: 'high',
      why: 'With an older engine a client chooses what the plugin gets to see: its rules hold for those only who keep to them.',
      fix: 'Upgrade the engine: 29.3.1 or 25.0.16 fix both known ways.',
      evaluate: bypassedPlugin,
    },
    'vuln.cri': {
      title: "containerd's CRI plugin is off",
      failure: "containerd's CRI plugin is on",
      severity: 'low',
      why: "Only Kubernetes needs it, and most of containerd's vulnerabilities of 2025 and 2026 take it.",
      fix: 'disabled_plugins = ["io.containerd.grpc.v1.cri"] at the top of /etc/containerd/config.toml, then: systemctl restart containerd (containers keep running)',
      evaluate: cri,
    },
  }),
];
