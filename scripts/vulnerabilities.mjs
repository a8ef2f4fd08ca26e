// Brings src/features/audit/domain/vulnerabilities.json up to a checkout of golang/vulndb (CC-BY-4.0), and prints what changes:
// node scripts/vulnerabilities.mjs CHECKOUT [--check]   CHECKOUT: a clone, bare or not; --check prints and writes nothing (exit 1 for changes).
// Entries that are new come in without a severity ("?"): a person rates them, and the tests refuse the table until then. Ranges of rows with
// "byHand" are ours, since the modules of Docker Engine have other versions than it has: those are only pointed at.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [checkout, option] = process.argv.slice(2);
if (checkout === undefined) throw new Error('node scripts/vulnerabilities.mjs CHECKOUT [--check]');
const root = fileURLToPath(new URL('..', import.meta.url));
const path = join(root, 'src/features/audit/domain/vulnerabilities.json');
const git = (...words) => execFileSync('git', ['-C', checkout, ...words], { maxBuffer: 1 << 28, encoding: 'utf8' });

/** Components by their Go modules, whatever their major version. */
const MODULES = {
  'github.com/moby/moby': 'engine',
  'github.com/docker/docker': 'engine',
  'github.com/moby/buildkit': 'buildkit',
  'github.com/containerd/containerd': 'containerd',
  'github.com/opencontainers/runc': 'runc',
  'github.com/docker/cli': 'cli',
  'github.com/docker/compose': 'compose',
  'github.com/docker/buildx': 'buildx',
};
/** Before this year nothing is left of it on any host that the audit can judge. */
const FIRST_YEAR = 2019;

const componentOf = (name) => MODULES[name.replace(/\/v\d+$/, '')];

/** Ranges of released versions, without the marks of Go. */
function rangesOf({ package: { name }, ranges }) {
  const events = ranges.flatMap((range) => range.events);
  const found = [];
  // A module with a major version in its name begins there.
  const first = /\/v(\d+)$/.exec(name)?.[1];
  for (const { introduced, fixed } of events) {
    if (introduced !== undefined) found.push([introduced === '0' && first !== undefined ? `${first}.0.0` : introduced]);
    else if (fixed !== undefined) found.at(-1)?.push(fixed);
  }
  return found
    .filter((range) => range.length === 2)
    .map((range) => range.map((text) => text.replace('+incompatible', '')));
}

const files = git('grep', '-lE', Object.keys(MODULES).join('|'), 'HEAD', '--', 'data/osv').trim().split('\n');
const known = new Map();
for (const file of files) {
  const entry = JSON.parse(git('show', file));
  const parts = entry.affected.filter(({ package: { name } }) => componentOf(name) !== undefined);
  const id = [...(entry.aliases ?? [])].sort().find((alias) => /^(CVE|GHSA)-/.test(alias));
  const year = Number(/^(?:CVE|GO)-(\d{4})/.exec(id ?? '')?.[1] ?? /^GO-(\d{4})/.exec(entry.id)?.[1]);
  if (parts.length === 0 || id === undefined || year < FIRST_YEAR || /^WITHDRAWN/.test(entry.summary)) continue;
  // docker/docker and moby/moby are one program: what the first of them says counts.
  const component = componentOf(parts[0].package.name);
  const modules = new Map(parts.map((part) => [JSON.stringify(rangesOf(part)), rangesOf(part)]));
  known.set(entry.id, { id, component, affected: [...modules.values()].flat(), summary: entry.summary });
}

const table = JSON.parse(readFileSync(path, 'utf8'));
const rows = Object.entries(table.vulnerabilities).flatMap(([component, byId]) =>
  Object.entries(byId).map(([id, row]) => ({ id, component, row })),
);
const words = (ranges) => ranges.map(([from, to]) => `${from} to ${to}`).join(', ') || 'no released version';
const lines = [];
for (const { id, component, row } of rows.filter((one) => one.row.source.startsWith('GO-'))) {
  const now = known.get(row.source);
  if (now === undefined) {
    lines.push(`- ${id} ${component}: ${row.source} is gone or withdrawn; take the row out`);
    continue;
  }
  if (row.byHand || JSON.stringify(now.affected) === JSON.stringify(row.affected)) continue;
  lines.push(`~ ${id} ${component}: ${words(row.affected)} -> ${words(now.affected)}`);
  row.affected = now.affected;
}
const ours = new Set(rows.flatMap(({ id, row }) => [id, row.source]));
for (const [source, { id, component, affected, summary }] of known) {
  if (ours.has(source) || ours.has(id)) continue;
  lines.push(`+ ${id} ${component}: ${words(affected)}: ${summary}`);
  // It may have two entries for one id.
  const before = table.vulnerabilities[component][id]?.affected ?? [];
  table.vulnerabilities[component][id] = { affected: [...before, ...affected], severity: '?', summary, source };
}
const date = git('log', '-1', '--format=%cs').trim();
if (date !== table.vulndb) lines.push(`~ vulndb of ${table.vulndb} -> ${date}`);
console.log(lines.length === 0 ? 'nothing changed' : lines.join('\n'));
if (option === '--check') process.exitCode = lines.length === 0 ? 0 : 1;
else {
  table.vulndb = date;
  if (date > table.date) table.date = date;
  writeFileSync(path, JSON.stringify(table, undefined, 2));
  execFileSync('npx', ['biome', 'format', '--write', path], { cwd: root, stdio: 'ignore' });
}
