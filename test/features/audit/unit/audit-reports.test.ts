import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { textWidth } from '../../../../src/core/domain/words.ts';
import { parseAuditFacts } from '../../../../src/features/audit/domain/audit-facts.ts';
import { applyBaseline } from '../../../../src/features/audit/domain/baseline.ts';
import { readCertificates } from '../../../../src/features/audit/domain/certificates.ts';
import { type AuditProbe, SEVERITIES } from '../../../../src/features/audit/domain/check.ts';
import { compareReports, findingsOfReport } from '../../../../src/features/audit/domain/compare.ts';
import { type CheckResult, counts } from '../../../../src/features/audit/domain/evaluate.ts';
import { auditCompose } from '../../../../src/features/audit/domain/files/compose.ts';
import { renderHtml } from '../../../../src/features/audit/domain/report/html.ts';
import { renderJunit } from '../../../../src/features/audit/domain/report/junit.ts';
import {
  type AuditedFile,
  type AuditedHost,
  type AuditReport,
  auditHost,
} from '../../../../src/features/audit/domain/report/report.ts';
import { renderAuditTable } from '../../../../src/features/audit/domain/report/report-table.ts';
import { renderSarif } from '../../../../src/features/audit/domain/report/sarif.ts';
import { fails, score } from '../../../../src/features/audit/domain/score.ts';
import { readMarkup } from '../../../support/markup.ts';
import { altered, RECORDED, recordedBytes } from '../support/audit-facts.ts';

const NOW = new Date('2026-11-25T11:00:00Z');
const audited = (recorded: (typeof RECORDED)[number], name: string = recorded): AuditedHost =>
  auditHost(name, parseAuditFacts(recordedBytes(recorded)), { now: NOW, dialled: ['127.0.0.1'] });
const hosts = RECORDED.map((name) => audited(name));
const accepted = applyBaseline(
  (hosts[4] as AuditedHost).results,
  'bad-trixie',
  { accept: [{ check: '2.10', reason: 'shared images', expires: '2027-01-01' }] },
  NOW,
);
const compose = auditCompose('services:\n  web:\n    image: x\n    privileged: true\n', 'dir/compose.yaml');
const file: AuditedFile = { kind: 'compose', name: 'dir/compose.yaml', results: compose, score: score(compose) };
const report: AuditReport = {
  createdAt: NOW.toISOString(),
  version: '0.1.0',
  benchmark: '1.8',
  vulnerabilities: '2026-11-26',
  subjects: [
    ...hosts,
    { ...(hosts[4] as AuditedHost), name: 'accepting', results: accepted, score: score(accepted) },
    file,
    { kind: 'unreachable', name: 'gone', error: 'connection refused' },
  ],
};
const badHost = hosts[RECORDED.indexOf('bad-trixie')] as AuditedHost;
const bad: AuditReport = { ...report, subjects: [badHost] };

test('every client is accepted where an untrusted client was, and not where our own client did', () => {
  const facts = parseAuditFacts(recordedBytes('setup-trixie'));
  const outcome = { kind: 'accepted', status: 200, chain: '' } as AuditProbe['outcome'];
  const anyClient = (what: AuditProbe['what']) =>
    auditHost('web', facts, { now: NOW, probes: [{ what, address: '10.0.0.7', port: 2376, outcome }] })
      .access.filter(({ who }) => who === 'any client')
      .map(({ where }) => where);
  expect(anyClient('own-certificate')).toEqual([]);
  for (const what of ['plain', 'no-certificate', 'other-authority'] as const)
    expect(anyClient(what)).toContain('10.0.0.7:2376');
});

test('a CA that is not of the store is a finding in every form, with its end; those of the store are none', () => {
  const facts = parseAuditFacts(recordedBytes('setup-trixie'));
  const probes: AuditProbe[] = [
    {
      ...{ what: 'other-authority', address: '10.0.0.7', port: 2376 },
      outcome: { kind: 'refused', cause: 'client-refused', reason: 'x', chain: '', elapsedMs: 1 },
    },
  ];
  const [ca] = readCertificates(facts.tls.ca?.pem ?? '');
  if (ca === undefined) throw new Error('it trusts no CA');
  const shown = (ourCas: ReadonlySet<string> | undefined) => {
    const subject = auditHost('web', facts, { now: NOW, probes, ourCas });
    const one = { ...report, subjects: [subject] };
    const found = subject.results.find(({ id }) => id === 'tls.2');
    return { found, subject, forms: [renderAuditTable(one, { columns: 200 }), renderSarif(one), renderJunit(one)] };
  };
  for (const ours of [undefined, new Set([ca.fingerprint])]) expect(shown(ours).found?.state).toBe('pass');
  const { found, subject, forms } = shown(new Set());
  expect(found).toMatchObject({ state: 'finding', severity: 'low' });
  const text = `accepts every client of ${ca.subject}, a CA that is not of this store, until ${ca.notAfter.toISOString().slice(0, 10)}`;
  for (const form of forms) expect(stripVTControlCharacters(form).replace(/\s+/g, ' ')).toContain(text);
  expect(subject.access).toContainEqual(
    expect.objectContaining({ who: `clients of ${ca.subject}`, expires: ca.notAfter.toISOString().slice(0, 10) }),
  );
});

test('a certificate that many hosts trust or accept has one lane of the time line', () => {
  const times = { notBefore: '2026-11-01T00:00:00.000Z', notAfter: '2027-11-01T00:00:00.000Z' };
  const subject = (name: string): AuditedHost => ({
    ...(hosts[0] as AuditedHost),
    name,
    certificates: [
      { role: 'client', name: 'ci', ...times },
      { role: 'server', name: `CN=${name}`, ...times },
    ],
  });
  const lanesOf = (...names: string[]) =>
    renderHtml({ ...report, subjects: names.map(subject) }).match(/<div class="lane"><div><b[^>]*>[^<]*<\/b>/g);
  expect(lanesOf('a', 'b')?.map((lane) => lane.replace(/<[^>]*>/g, ''))).toEqual(['a, b', 'a', 'b']);
  expect(lanesOf('a', 'b', 'c', 'd')?.[0]).toContain('title="a, b, c, d">4 hosts<');
});

describe('the table', () => {
  test.each([40, 60, 80, 132, 200])('fits into %i columns', (columns) => {
    const lines = renderAuditTable(report, { columns, all: true }).split('\n');
    expect(lines.filter((line) => textWidth(line) > columns)).toEqual([]);
  });

  test('has what belongs to a finding at column 4, below its title', () => {
    const lines = renderAuditTable(bad, { columns: 80 }).split('\n');
    const first = lines.findIndex((line) => /^ {2}critical /.test(line));
    expect(first).toBeGreaterThan(0);
    for (const line of lines.slice(first, lines.indexOf('', first)))
      expect(line).toMatch(/^( {2}(critical|high|medium|low|info) | {4}\S)/);
  });

  test('shows the worst first, in groups and inside of them', () => {
    const severities = renderAuditTable(bad, { columns: 100 })
      .split('\n')
      .flatMap((line) => {
        const found = /^ {2}(critical|high|medium|low|info) /.exec(line)?.[1];
        return found === undefined ? (/^\S/.test(line) ? ['|'] : []) : [found];
      });
    const groups = severities
      .join(' ')
      .split('|')
      .map((group) =>
        group
          .trim()
          .split(' ')
          .filter((word) => word !== ''),
      )
      .filter((group) => group.length > 0);
    const ranks = groups.map((group) => group.map((severity) => SEVERITIES.indexOf(severity as never)));
    for (const group of ranks) expect(group).toEqual([...group].sort((a, b) => a - b));
    expect(ranks.map(([first]) => first)).toEqual(ranks.map(([first]) => first).sort());
  });

  test('names every open finding, its fix, what was accepted and what was not reached', () => {
    const text = renderAuditTable(report, {
      columns: 120,
      comparison: { appeared: [{ subject: 'a', check: '2.10', place: 'p' }], gone: [], same: 7 },
    });
    for (const { id } of (hosts[4] as AuditedHost).results.filter(counts)) expect(text).toContain(` ${id} `);
    expect(text).toContain('[harden --only icc --accept icc]');
    expect(text).toSay('user-namespaces-not-use', '2.10', '2027-01-01');
    expect(text).toSay('not-audited-connection-refused');
    expect(text).toSay('since-last-report', 1, 0, 7, '+ a  2.10  p');
  });

  test('colours only through the function it was given', () => {
    const seen = new Set<string>();
    function paint(colour: string, text: string): string {
      seen.add(colour);
      return `\u001b[1m${text}\u001b[0m`;
    }
    const painted = renderAuditTable(bad, { columns: 100, paint });
    expect(stripVTControlCharacters(painted)).toBe(renderAuditTable(bad, { columns: 100 }));
    expect([...seen].sort()).toEqual(['bold', 'cyan', 'gray', 'magenta', 'red', 'yellow']);
  });
});

describe('SARIF', () => {
  const log = JSON.parse(renderSarif(report, findingsOfReport(JSON.stringify(bad), 'r')));
  const [run] = log.runs;

  test('has what the standard and GitHub require', () => {
    expect(log.version).toBe('2.1.0');
    expect(run.tool.driver).toMatchObject({ name: 'docker-tls', semanticVersion: '0.1.0' });
    for (const result of run.results) {
      expect(run.tool.driver.rules[result.ruleIndex].id).toBe(result.ruleId);
      expect(['error', 'warning', 'note']).toContain(result.level);
      const { physicalLocation } = result.locations[0];
      expect(() => new URL(physicalLocation.artifactLocation.uri, 'https://x/')).not.toThrow();
      expect(physicalLocation.artifactLocation.uri).toMatch(/^[^/:]/);
      expect(physicalLocation.region.startLine).toBeGreaterThan(0);
      expect(result.message.text).not.toBe('');
      expect(['new', 'unchanged']).toContain(result.baselineState);
    }
    const fingerprints = run.results.map((result: { partialFingerprints: object; message: { text: string } }) =>
      JSON.stringify([result.partialFingerprints, result.message.text]),
    );
    expect(new Set(fingerprints).size).toBe(fingerprints.length);
  });

  test('holds findings only, accepted ones as suppressed, with lines for files', () => {
    const open = report.subjects.flatMap((subject) =>
      subject.kind === 'unreachable'
        ? []
        : subject.results.filter(({ state }) => state === 'finding').flatMap(({ evidence }) => evidence),
    );
    expect(run.results).toHaveLength(open.length);
    expect(run.results.filter((result: { suppressions?: unknown[] }) => result.suppressions !== undefined)).toEqual([
      expect.objectContaining({
        ruleId: '2.10',
        suppressions: [{ kind: 'external', status: 'accepted', justification: 'shared images' }],
      }),
    ]);
    const privileged = run.results.find((result: { ruleId: string }) => result.ruleId === 'compose.5.5');
    expect(privileged.locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: 'dir/compose.yaml' },
      region: { startLine: 4 },
    });
    expect(run.invocations[0]).toMatchObject({
      executionSuccessful: false,
      toolExecutionNotifications: [{ message: { text: 'gone: connection refused' } }],
    });
  });
});

describe('places in SARIF', () => {
  test.each([
    ['docker-compose.yml', 'docker-compose.yml'],
    ['./a b/c.yml', 'a%20b/c.yml'],
    ['../shared/compose.yml', '../shared/compose.yml'],
    ['/srv/app/Dockerfile', 'file:///srv/app/Dockerfile'],
    ['C:\\app\\Dockerfile', 'file:///C:/app/Dockerfile'],
    ['a:b', 'a%3Ab'],
  ])('the file %s is %s', (name, uri) => {
    const results = file.results.map((result) => ({
      ...result,
      evidence: result.evidence.map((piece) => ({ ...piece, file: undefined })),
    }));
    const log = JSON.parse(renderSarif({ ...report, subjects: [{ ...file, name, results }] }));
    expect(log.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri).toBe(uri);
  });

  test('a rule is for any host: no name of one is in it', () => {
    const { rules } = JSON.parse(renderSarif({ ...report, subjects: [audited('bad-trixie', 'web')] })).runs[0].tool
      .driver;
    const texts = rules.map(({ help }: { help: { text: string } }) => help.text).join('\n');
    expect(texts).toContain('docker-tls rotate server HOST');
    expect(texts).not.toMatch(/docker-tls [a-z ]+ web\b/);
  });

  test("a host's places stay below its name", () => {
    const place = '../../etc/x';
    const results = [
      { ...(compose.find(({ state }) => state === 'finding') as CheckResult), evidence: [{ place, text: 't' }] },
    ];
    const log = JSON.parse(renderSarif({ ...report, subjects: [{ ...badHost, name: 'build-1', results }] }));
    expect(log.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri).toBe('build-1/etc/x');
  });
});

test('a host without Docker is told so, and not that Docker did not answer', () => {
  const gone = ['api-socket', 'api 200 http://docker/info', 'dockerd-cmdline', 'dockerd-exe', 'units'];
  const facts = altered('good-trixie', { sections: Object.fromEntries(gone.map((name) => [name, undefined])) });
  expect(auditHost('build-1', facts, { now: NOW }).score.explanation).toSay('checks-had-no-verdict-no');
});

test.each([
  [
    'by its answers',
    { 'api 200 http://docker/version': '{"Components":[{"Name":"Podman Engine"}],"Version":"5.4.2"}' },
    false,
  ],
  [
    'by its socket, also where it is silent',
    { 'api 200 http://docker/info': undefined, 'api-socket-target': '/run/podman/podman.sock' },
    true,
  ],
])('Podman in the place of Docker is told, and not judged as one: %s', (_, sections, silent) => {
  const gone = ['dockerd-cmdline', 'dockerd-exe', 'units', 'config', 'dockerd-sockets'].map((name) => [
    name,
    undefined,
  ]);
  const facts = altered('good-trixie', { sections: { ...Object.fromEntries(gone), ...sections } });
  const podman = auditHost('build-1', facts, { now: NOW });
  expect(podman.docker).toBeUndefined();
  const config = podman.results.find(({ id }) => id === '2.7');
  expect(config).toMatchObject({ state: 'not-applicable', reason: expect.stringContaining('Podman serves the API') });
  // Its containers are checked; if it does not answer, they are not reported.
  expect(podman.results.find(({ id }) => id === '5.5')?.state).toBe(silent ? 'not-applicable' : 'pass');
  if (silent) expect(podman.score.explanation).toSay('had-no-verdict-podman');
  else expect(podman.score.explanation).not.toContain('had no verdict');
  const judged = podman.results.filter(({ id, state }) => /^(2|config)\b/.test(id) && state === 'finding');
  expect(judged.map(({ id }) => id)).toEqual([]);
  // A running dockerd is checked, whatever else answers.
  const beside = altered('good-trixie', { sections: sections as Record<string, string> });
  expect(beside.podman).toBe(false);
});

describe('a host whose Docker says nothing', () => {
  const facts = altered('good-trixie', { sections: { 'api 200 http://docker/info': undefined } });
  const silent = auditHost('build-1', facts, { now: NOW });
  const whole: AuditReport = { ...report, subjects: [silent] };

  test('has no score, and a critical finding, in every form', () => {
    expect(silent.score).toMatchObject({
      findings: expect.objectContaining({ critical: 1 }),
      explanation: expect.toSay('checks-had-no-verdict'),
    });
    expect([silent.score.value, silent.score.grade]).toEqual([undefined, undefined]);
    expect(fails(silent.results, 'critical')).toBe(true);
    expect(renderAuditTable(whole, { columns: 100 })).toMatch(/^build-1 .*\nno score {2}/);
    expect(renderHtml(whole)).toContain('no score. ');
    expect(() => readMarkup(renderHtml(whole), true)).not.toThrow();
  });

  test('has lost none of its findings', () => {
    const before = findingsOfReport(JSON.stringify({ ...report, subjects: [{ ...badHost, name: 'build-1' }] }), 'r');
    const gone = compareReports(before, whole).gone.map(({ check }) => check);
    expect(gone).toContain('3.2');
    expect(gone.filter((id) => /^(5|container)\./.test(id))).toEqual([]);
  });
});

test('what only a person can judge is apart, whatever the check, and says what to ask', () => {
  const [result] = badHost.results;
  const asked = { ...(result as CheckResult), state: 'not-applicable' as const, reason: 'x', question: 'is it meant?' };
  const table = renderAuditTable(
    { ...report, subjects: [{ ...badHost, results: [asked] }] },
    { columns: 200, all: true },
  );
  expect(table).toSay('person-to-judge');
  expect(table).not.toContain('Not applicable\n');
});

test('the table names the command that fixes', () => {
  const table = renderAuditTable(bad, { columns: 200 });
  expect(table).toContain('→ [setup] docker-tls setup bad-trixie');
  expect(table).toContain('→ [harden --only sshd]');
  expect(table).not.toContain('--only tls');
  expect(renderHtml(report)).not.toContain('--only tls');
});

describe('JUnit', () => {
  const text = renderJunit(report);
  const { elements, attributes } = readMarkup(text, false);

  test('counts what it holds', () => {
    function sum(name: string): number {
      return attributes.filter(([key]) => key === name).reduce((total, [, value]) => total + Number(value), 0);
    }
    expect(sum('tests')).toBe(elements.filter((name) => name === 'testcase').length);
    expect(sum('failures')).toBe(elements.filter((name) => name === 'failure').length);
    expect(sum('skipped')).toBe(elements.filter((name) => name === 'skipped').length);
    expect(sum('errors')).toBe(1);
    expect(elements.filter((name) => name === 'testsuite')).toHaveLength(report.subjects.length);
  });

  test("has what Ant's schema requires, in its order (github.com/windyroad/JUnit-Schema)", () => {
    const suites = [...text.matchAll(/<testsuite ([^>]*)>(.*?)<\/testsuite>/gs)];
    expect(suites).toHaveLength(report.subjects.length);
    suites.forEach(([, head = '', body = ''], index) => {
      const names = [...head.matchAll(/([a-z]+)="[^"]+"/g)].map(([, name]) => name);
      expect(new Set(names)).toEqual(
        new Set('id package name hostname timestamp time tests failures errors skipped'.split(' ')),
      );
      expect(head).toMatch(new RegExp(`^id="${index}" .* timestamp="2026-11-25T11:00:00" `));
      const children = [...body.matchAll(/^ {4}<([a-z-]+)/gm)].map(([, name]) => name);
      expect(children.filter((name, at) => name !== children[at - 1])).toEqual([
        'properties',
        'testcase',
        'system-out',
        'system-err',
      ]);
    });
    expect(text).toMatch(/\n<testsuites>\n/);
  });
});

test('every form names the dates of its sources; a report of files alone has none of them', () => {
  const date = report.vulnerabilities;
  const table = (subjects: AuditReport['subjects']) => renderAuditTable({ ...report, subjects }, { columns: 100 });
  expect(table(hosts)).toSay('cis-docker-benchmark-known', '1.8', date);
  expect(table([file])).not.toContain(date);
  expect(table(hosts)).not.toContain('days old');
  const late = new Date(Date.parse(date) + 200 * 86_400_000).toISOString();
  expect(renderAuditTable({ ...report, createdAt: late }, { columns: 200 })).toSay(
    'known-vulnerabilities-days-old',
    date,
    '200',
    'docker-tls audit --vulnerabilities FILE)',
  );
  expect(renderJunit(report)).toContain(`<property name="vulnerabilities" value="${date}"/>`);
  expect(JSON.parse(renderSarif(report)).runs[0].properties).toEqual({ benchmark: '1.8', vulnerabilities: date });
});

describe('HTML for people who look', () => {
  const named = (name: string) => renderHtml({ ...bad, subjects: [audited('bad-trixie', name)] });
  const page = named('web;reboot');

  test('begins with the dates of its sources', () => {
    expect(page.slice(0, page.indexOf('<h2'))).toSay('cis-docker-benchmark-known-vulnerabilities', '1.8', '2026-11-26');
  });

  test('has the gravest rows first, named by what is wrong', () => {
    const groups = [...page.matchAll(/<tr class="group [a-z]*"><th colspan="2">([^<]*)</g)].map(([, name]) => name);
    expect(groups).toEqual([...SEVERITIES, 'nothing found']);
    const rows = page.slice(page.indexOf('<tr class="group'));
    expect(rows.indexOf('A container runs privileged')).toBeGreaterThan(rows.indexOf('>high<'));
    expect(rows.indexOf('A container runs privileged')).toBeLessThan(rows.indexOf('>medium<'));
    expect(page).not.toContain('No container is privileged');
  });

  test('has a command to paste for every finding, whatever the host is called', () => {
    const findings = page.match(/<div class="finding" id=/g)?.length;
    const own = [...page.matchAll(/<pre class="command">(docker-tls [^<]*)<\/pre>/g)].map(([, command]) => command);
    expect(own).toHaveLength(findings ?? 0);
    for (const command of own) expect(command).toMatch(/^docker-tls (setup|harden|audit) &#39;web;reboot&#39;( --|$)/);
    expect(page).toContain('docker-tls rotate server &#39;web;reboot&#39;');
    expect(page).not.toMatch(/docker-tls [a-z ]+ HOST/);
  });

  test('shows a socket that every local user may write to under who can reach what', () => {
    const access = page.slice(page.indexOf('id="access"'), page.indexOf('id="findings"'));
    expect(access).toSay('every-local-user-td', '/td', 'class=', '"grave"', '0666', '"mono grave"', '/run/docker.sock');
    expect(access.match(/every local user<\/td><td class="grave">socket/g)).toHaveLength(2);
    expect(renderHtml({ ...bad, subjects: [hosts[1] as AuditedHost] })).not.toContain('every local user');
  });

  test('names the upgrade that closes most', () => {
    expect(page).toSay(
      'runc-known-vulnerabilities-high',
      'id="upgrades"',
      4,
      3,
      1,
      'apt-get install --only-upgrade runc',
    );
  });
});

describe('HTML', () => {
  const page = renderHtml(report);
  const { elements, attributes } = readMarkup(page, true);

  test('is whole, runs nothing and loads nothing', () => {
    expect(elements).toContain('main');
    for (const name of ['script', 'link', 'img', 'iframe', 'object', 'embed', 'form', 'base'])
      expect(elements).not.toContain(name);
    expect(attributes.filter(([key]) => key === 'src' || key.startsWith('on'))).toEqual([]);
    expect(attributes.filter(([key, value]) => key === 'href' && !value.startsWith('#'))).toEqual([]);
    expect(page).not.toMatch(/url\(|@import/);
  });

  test('every link leads to a place on the page, and every place is there once', () => {
    const ids = attributes.filter(([key]) => key === 'id').map(([, value]) => value);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, value] of attributes.filter(([key]) => key === 'href')) expect(ids).toContain(value.slice(1));
  });

  test('an empty report is a page too', () => {
    expect(() => readMarkup(renderHtml({ ...report, subjects: [] }), true)).not.toThrow();
    expect(() => readMarkup(renderHtml({ ...report, subjects: [file] }), true)).not.toThrow();
  });
});
