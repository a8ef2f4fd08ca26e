/** Parts of a change that fixes need: kernel settings, attributes of files, members of groups, sshd, audit rules, the user of userns-remap. */

import type { ChangePart } from '../../../core/seams/change-parts.ts';
import { loopbackWords, SSHD_DROP_IN, sysctlWords } from '../domain/hardening/change-details.ts';
import attributesModule from '../host/change/attributes.sh';
import auditRulesModule from '../host/change/audit-rules.sh';
import kernelModule from '../host/change/kernel.sh';
import remapUserModule from '../host/change/remap-user.sh';
import sshdModule from '../host/change/sshd.sh';
import sshdOptionsModule from '../host/sshd-options.sh';

/** In the order in which they come into effect. */
export const AUDIT_PARTS: readonly ChangePart[] = [
  {
    name: 'sshd',
    reload: { title: 'sshd', paths: /^\/etc\/ssh\// },
    settings: () => ({ SSHD_DROP_IN }),
    rollback: [sshdModule],
    apply: [sshdOptionsModule],
  },
  {
    name: 'audit_rules',
    reload: { title: 'audit rules', paths: /^\/etc\/(audit|tmpfiles\.d)\// },
    rollback: [auditRulesModule],
  },
  {
    name: 'remap_user',
    concerns: ({ purpose, daemonJson }) =>
      purpose === 'apply' && /"userns-remap"\s*:\s*"default"/.test(daemonJson.after ?? ''),
    rollback: [],
    apply: [remapUserModule],
  },
  {
    name: 'attributes',
    kinds: {
      attributes: ({ path, mode, owner }) => `${path}  mode ${mode}, owner ${owner}`,
      member: ({ path, mode }) => `${mode === 'present' ? 'add to' : 'take out of'} group: ${path}`,
    },
    rollback: [attributesModule],
  },
  {
    name: 'kernel',
    kinds: {
      sysctl: (change) => `running kernel: ${sysctlWords(change)}`,
      loopback: (change) => `firewall: ${loopbackWords(change)}`,
    },
    rollback: [kernelModule],
  },
];
