/** Fixes of files and groups: audit rules, the docker group, owners and modes. */

import { TLS_DIRECTORY } from '../../../../core/domain/dockerd/paths.ts';
import { kindOf } from '../../../../core/domain/plan/host-kind.ts';
import type { AuditFacts } from '../audit-facts.ts';
import { auditRules } from '../audit-rules.ts';
import { type FileFix, fileFixes } from '../checks/file-modes.ts';
import { dataRoot, isAudited, WATCHES } from '../checks/host.ts';
import type { FixName } from '../fix-names.ts';
import type { ExtraChange } from './extra-change.ts';

export const AUDIT_RULES = '/etc/audit/rules.d/docker-tls.rules';
/** Creates /run/containerd before rules are loaded at boot, with containerd's own settings. */
export const TMPFILES = '/etc/tmpfiles.d/docker-tls.conf';
const CONTAINERD_RUN = '/run/containerd';
/** A separate key: the kernel rejects duplicate rules, and deletes rules by key (src/features/audit/host/change/audit-rules.sh). */
const KEY = 'docker-tls';
export const GROUP_FILE = '/etc/group';

export type HardenedFiles = ReturnType<typeof hardenFiles>;

/** `groups`: content of /etc/group. `keep`: members of the docker group that stay. */
export function hardenFiles(fixes: ReadonlySet<FixName>, facts: AuditFacts, groups: string, keep: readonly string[]) {
  const extras: ExtraChange[] = [];
  const notes: string[] = [];
  let loadAuditRules = false;
  if (fixes.has('audit-rules')) {
    const { audit } = facts;
    const content = renderAuditRules(facts);
    const paths = auditRules(content).map((rule) => rule.path);
    const written = paths.every((path) => isAudited(audit.files, facts, path));
    const loaded = paths.every((path) => isAudited(audit.loaded, facts, path));
    extras.push({
      kind: 'file',
      path: AUDIT_RULES,
      mode: '0640',
      content,
      reason: 'audit-rules',
    });
    if (paths.includes(CONTAINERD_RUN))
      extras.push({
        kind: 'file',
        path: TMPFILES,
        mode: '0644',
        content: `# Written by docker-tls: a rule for a directory that is not there when it is loaded records nothing inside.\nd ${CONTAINERD_RUN} 0711 root root -\n`,
        reason: 'audit-rules',
      });
    loadAuditRules =
      audit.kernel && !audit.bootDisabled && audit.installed && audit.refused === undefined && !audit.locked;
    if (audit.byHand)
      notes.push(
        `audit-rules: /etc/audit/audit.rules has rules that no file of rules.d has, so somebody maintains it by hand: it stays; add the rules of ${AUDIT_RULES} to it to load them at boot`,
      );
    else if (audit.installed && !audit.augenrules)
      notes.push(
        `audit-rules: without augenrules nothing reads rules.d at boot: ${AUDIT_RULES} counts at the next boot once its rules are in /etc/audit/audit.rules`,
      );
    if (!audit.kernel || audit.bootDisabled)
      notes.push('audit-rules: the kernel does not audit; the rules are written, and count once it does');
    else if (!audit.installed) notes.push('audit-rules: auditd is not installed; the rules count once it is');
    else if (audit.locked && !loaded)
      notes.push(
        'audit-rules: the kernel keeps the loaded rules until the next boot (-e 2); these are written, and count then',
      );
    else if (audit.refused !== undefined)
      notes.push('audit-rules: the kernel does not let this host load rules (as in a container); they are written');
    else if (loadAuditRules && written && !loaded)
      notes.push(
        `audit-rules: they are written, but the kernel does not have them all; to load them, and see which it does not take: auditctl -D -k docker-tls; auditctl -R ${AUDIT_RULES}`,
      );
    else if (!audit.enabled)
      notes.push(
        'audit-rules: auditing is off, so nothing is recorded; it begins with: systemctl enable --now auditd (or auditctl -e 1, until the next boot)',
      );
  }
  if (fixes.has('docker-group')) extras.push(...groupChanges(facts, groups, keep, notes));
  if (fixes.has('file-modes')) extras.push(...modeChanges(fileFixes(facts), groups));
  return { extras, loadAuditRules, notes };
}

/**
 * One rule for each existing file. The data directory is watched without its content, because every write of every container would be
 * logged. Paths in /run are watched by their directory; a line of tmpfiles.d creates it before rules are loaded at boot. A rule for a path
 * in a missing directory would stop the loading of all following rules, and one for the missing directory itself records nothing inside.
 */
export function renderAuditRules(facts: AuditFacts): string {
  const present = WATCHES.flatMap((watch) => watch.paths(facts)).filter((path) => facts.files.has(path));
  const { places, engine, service } = kindOf({ kind: facts.podmanService ? 'podman' : 'systemd' });
  const own = [places.dropIns, places.socket, ...(engine.apart ? [`${places.units}/${service}`] : [])];
  const rules = [...new Set([...present, ...own])]
    // The rule of the directory covers its changing content.
    .filter((path) => /^\/[\w./@+-]+$/.test(path) && !/^\/(run\/containerd|etc\/docker)\//.test(path))
    .map((path) =>
      path === dataRoot(facts) ? `-a always,exit -F path=${path} -F perm=wa -k ${KEY}` : `-w ${path} -p wa -k ${KEY}`,
    );
  return ['## Written by docker-tls. `docker-tls remove HOST` takes it away again.', ...rules, ''].join('\n');
}

/** Members written in the file: only these can be removed. */
function groupChanges(
  facts: AuditFacts,
  groups: string,
  keep: readonly string[],
  notes: string[],
): readonly ExtraChange[] {
  const line = /^docker:[^:\n]*:\d+:(.*)$/m.exec(groups)?.[1] ?? '';
  const members = line.split(',').filter((user) => user !== '' && user !== 'root');
  for (const user of facts.dockerGroup ?? []) {
    if (user === 'root' || members.includes(user) || keep.includes(user)) continue;
    notes.push(`docker-group: ${user} is in it by another way (primary group, or a directory service)`);
  }
  for (const user of keep) {
    if (members.includes(user) || facts.dockerGroup?.includes(user)) continue;
    notes.push(`docker-group: ${user}, who was to stay, is not in it`);
  }
  return members
    .filter((user) => !keep.includes(user) && /^[A-Za-z_][\w.@-]*\$?$/.test(user))
    .map((user) => ({
      kind: 'member',
      group: 'docker',
      user,
      present: false,
      reason: `docker-group: ${user} can no longer use docker without sudo`,
    }));
}

/** Skips the active credentials: the plan itself manages them. */
function modeChanges(fixes: readonly FileFix[], groups: string): readonly ExtraChange[] {
  const ours = new RegExp(`^${TLS_DIRECTORY}/(current|\\d+)(/|$)`);
  return fixes
    .filter(({ path }) => path.startsWith('/') && !ours.test(path) && !/[\t\n]/.test(path))
    .map(({ path, mode, group }) => ({
      kind: 'attributes',
      path,
      mode: mode.toString(8).padStart(4, '0'),
      owner: `0:${groupId(groups, group)}`,
      reason: 'file-modes',
    }));
}

function groupId(groups: string, name: string): string {
  if (name === 'root') return '0';
  const line = groups.split('\n').find((one) => one.startsWith(`${name}:`));
  return /^[^:]*:[^:]*:(\d+):/.exec(line ?? '')?.[1] ?? '0';
}
