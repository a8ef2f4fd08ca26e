/** `audit [HOST…]`: checks of hosts, Compose files and Dockerfiles, in every report format. */

import { defineCommand } from '../../../cli/command.ts';
import { FILE, SELECTION_OPTIONS, SSH_OPTIONS } from '../../../cli/host-options.ts';
import { audit } from '../actions/audit.ts';
import { BENCHMARKS, NEWEST } from '../domain/benchmark.ts';
import { SEVERITIES } from '../domain/check.ts';
import { REPORT_FORMS } from '../domain/report/forms.ts';
import { renderAudit } from '../render/audit.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'store'],
  about:
    'Without HOST: every host of the fleet file (-f), or of the store. A host need not be set up.\nAll facts of a host come over SSH in one go, as root; which clients are accepted is probed from here, over the network.\n`docker-tls harden HOST` fixes what can be fixed; -v shows what passed as well.',
  examples: [
    'docker-tls audit root@build-1',
    'docker-tls audit -f fleet.yaml --format html --out audit.html',
    'docker-tls audit --fail-on high --baseline accepted.yaml --format sarif --out audit.sarif',
    'docker-tls audit build-1 --json > before.json; docker-tls audit build-1 --compare before.json',
    'docker-tls audit --compose docker-compose.yml --dockerfile Dockerfile',
  ],
  args: { hosts: { summary: 'hosts; default: all', many: true, completes: 'host' } },
  options: {
    ...SELECTION_OPTIONS,
    ...SSH_OPTIONS,
    compose: {
      kind: 'list',
      value: 'FILE',
      summary: 'audit a Compose file, - is standard input; needs no host',
      completes: 'file',
    },
    dockerfile: { kind: 'list', value: 'FILE', summary: 'audit a Dockerfile; needs no host', completes: 'file' },
    lynis: { kind: 'flag', summary: 'run Lynis where it is installed: its index, and the fixes that raise it' },
    check: { kind: 'list', value: 'ID', summary: 'only these checks; 5.* is a whole section' },
    benchmark: {
      kind: 'choice',
      choices: BENCHMARKS,
      summary: `edition of the CIS Docker Benchmark whose numbers name the checks (default: ${NEWEST})`,
    },
    format: {
      kind: 'choice',
      choices: REPORT_FORMS,
      summary: 'form of the report; default table, or what the name of --out says',
    },
    out: { ...FILE, summary: 'write the report there; - is standard output' },
    failOn: { kind: 'choice', choices: SEVERITIES, summary: 'exit with status 3 for findings this grave or graver' },
    baseline: { ...FILE, summary: 'accepted findings, each with a reason and a last day' },
    compare: { ...FILE, value: 'REPORT', summary: 'list new and resolved findings since a report' },
  },
  run: async (context) => renderAudit(await audit(context, context.args.hosts, context.options), context),
});
