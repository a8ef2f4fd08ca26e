/** Hostile facts: with any name of a host, image, container or file, every form of the report stays harmless and complete. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AuditFacts, parseAuditFacts } from '../../../../src/features/audit/domain/audit-facts.ts';
import { evaluate } from '../../../../src/features/audit/domain/evaluate.ts';
import { auditCompose } from '../../../../src/features/audit/domain/files/compose.ts';
import { auditDockerfile } from '../../../../src/features/audit/domain/files/dockerfile.ts';
import { renderHtml } from '../../../../src/features/audit/domain/report/html.ts';
import { renderJunit } from '../../../../src/features/audit/domain/report/junit.ts';
import { type AuditReport, auditHost } from '../../../../src/features/audit/domain/report/report.ts';
import { renderAuditTable } from '../../../../src/features/audit/domain/report/report-table.ts';
import { renderSarif } from '../../../../src/features/audit/domain/report/sarif.ts';
import { score } from '../../../../src/features/audit/domain/score.ts';
import { readMarkup } from '../../../support/markup.ts';
import { printSections, sectionsOf } from '../../../support/sections.ts';
import { altered, merge, recordedBytes } from '../support/audit-facts.ts';

const NASTY = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='x",
  '</style><b>',
  '&amp;&#60;',
  ']]>',
  '<!--',
  '\u001b[31mred\u001b[0m',
  '\u001b]0;title\u0007',
  '\u001b]8;;http://x\u001b\\link',
  '\r\nok: forged',
  '\n\n--0123 done\n',
  '\u202egnp.exe',
  '\u0000',
  '\u009b2J',
  '$(reboot)',
  '`id`',
  '; rm -rf /',
  '{{7*7}}',
  '\ud800',
  '\uffff',
  'a'.repeat(5000),
  '../../../etc/passwd',
  '__proto__',
  '🐳漢字',
];

const evil = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.tuple(fc.constantFrom(...NASTY), fc.string({ unit: 'binary' })).map(([a, b]) => a + b),
);

/** Every name that a host controls, set to this word. */
function hostileFacts(word: string): AuditFacts {
  const line = word.replace(/[\0\n]/g, '');
  return altered('bad-trixie', {
    sections: {
      rootless: word,
      'os-release': `PRETTY_NAME="${word}"`,
      'docker-group': `docker:x:102:${line},x`,
      'sshd 0': `loglevel ${word}\npermitrootlogin ${word}\npasswordauthentication yes\nmaxauthtries ${word}`,
      'sshd-match': word,
      'key-files': `81a4 0 0 root root 10 /etc/docker/${word.replaceAll('\0', '')}.key\0`,
      'registry-files': `81b6 5 5 ${line.replace(/\s/g, '') || 'x'} x 10 /etc/docker/certs.d/${word.replaceAll('\0', '')}\0`,
      'tls-path key': `/${word}`,
      'auditctl-list 255': word,
    },
    flags: ['-H', `tcp://${line}:2375`, '--cgroup-parent', line],
    config: JSON.stringify({
      [word]: word,
      hosts: [word, 'tcp://0.0.0.0:2375'],
      'log-level': word,
      'insecure-registries': [word],
    }),
    api: {
      '/info': merge({
        LoggingDriver: word,
        ServerVersion: `1${word}`,
        RegistryConfig: { InsecureRegistryCIDRs: [word] },
      }),
      '/version': merge({ Version: word, BuildTime: '2001-01-01T00:00:00Z' }),
      '/networks': () => [
        { Name: word, Driver: 'bridge', Options: { 'com.docker.network.bridge.default_bridge': 'true' } },
      ],
      '/containers/': merge({
        Name: `/${word}`,
        Config: { Image: word, User: 'root', Labels: { [word]: word } },
        HostConfig: { CapAdd: [word], CgroupParent: word, Devices: [{ PathOnHost: word }], Privileged: true },
        Mounts: [
          { Type: 'bind', Source: '/etc', Destination: word, RW: true },
          { Type: 'bind', Source: `/run/${word}/docker.sock`, Destination: word, RW: true, Propagation: 'shared' },
        ],
        NetworkSettings: { Networks: { bridge: {} }, Ports: { [word]: [{ HostIp: '', HostPort: '80' }] } },
      }),
      '/images/': merge({ RepoTags: [word] }),
    },
  });
}

function reportOf(word: string): AuditReport {
  const host = auditHost(word, hostileFacts(word), { dialled: [word] });
  const compose = auditCompose(
    `services:\n  ${JSON.stringify(word.slice(0, 500))}:\n    image: ${JSON.stringify(word)}\n    cap_add: [${JSON.stringify(word)}]\n    privileged: true\n`,
    word,
  );
  const dockerfile = auditDockerfile(`FROM a:1\nFROM ${word}\nADD ${word} /\nENV A_PASSWORD=${word}\n`, word);
  return {
    createdAt: '2026-11-25T11:00:00.000Z',
    version: '0.1.0',
    benchmark: '1.8',
    vulnerabilities: '2026-11-26',
    subjects: [
      { ...host, access: [...host.access, { who: word, how: word, where: word, grave: true }] },
      { kind: 'compose', name: word, results: compose, score: score(compose) },
      { kind: 'dockerfile', name: word, results: dockerfile, score: score(dockerfile) },
      { kind: 'unreachable', name: word, error: word },
    ],
  };
}

/** Characters that a terminal may obey, or that hide or reorder text. */
const HARMFUL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

const PLAIN = readMarkup(renderHtml(reportOf('plain')), true);

test('every form is harmless and whole', () => {
  fc.assert(
    fc.property(evil, (word) => {
      const report = reportOf(word);
      expect(renderAuditTable(report, { columns: 90, all: true })).not.toMatch(HARMFUL);
      expect(JSON.stringify(report.subjects[0]?.kind === 'host' ? report.subjects[0].results : [])).not.toMatch(
        HARMFUL,
      );

      const sarif = renderSarif(report);
      expect(sarif).not.toMatch(HARMFUL);
      expect(JSON.stringify(JSON.parse(sarif))).not.toMatch(/\\u00[01]|\\u001b/);

      const junit = renderJunit(report);
      expect(junit).not.toMatch(HARMFUL);
      expect(new Set(readMarkup(junit, false).elements)).toEqual(
        new Set(
          'testsuites testsuite properties property testcase failure skipped error system-out system-err'.split(' '),
        ),
      );

      const page = renderHtml(report);
      expect(page).not.toMatch(HARMFUL);
      const { elements, attributes } = readMarkup(page, true);
      for (const name of new Set(elements)) expect(PLAIN.elements).toContain(name);
      for (const name of new Set(attributes.map(([key]) => key)))
        expect(PLAIN.attributes.map(([key]) => key)).toContain(name);
      expect(attributes.filter(([key, value]) => key === 'href' && !/^#[\w.-]+$/.test(value))).toEqual([]);
    }),
    { numRuns: 20, examples: NASTY.map((word) => [word]) },
  );
});

test('sections come back as they were, whatever they hold', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          name: fc.stringMatching(/^[a-z][a-z0-9 /-]{0,20}$/).filter((name) => name !== 'done'),
          content: fc.uint8Array({ maxLength: 200 }),
        }),
      ),
      (list) => {
        const sections = [
          ...list.map(({ name, content }) => ({ name, content: Buffer.from(content) })),
          { name: 'done', content: Buffer.alloc(0) },
        ];
        expect(sectionsOf('audit', printSections('audit', sections))).toEqual(sections);
      },
    ),
  );
});

test('odd content in any section costs verdicts, never the audit', () => {
  const names = [...new Set(sectionsOf('audit', recordedBytes('bad-trixie')).map(({ name }) => name))].filter(
    (name) => name !== 'done',
  );
  const junk = fc.oneof(
    evil,
    fc.json(),
    fc.constantFrom('null', '[]', '{}', '0', '"x"', '[null]', '[[]]', '{"Id":{}}', ''),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), junk, { minKeys: 1, maxKeys: 12 }), (sections) => {
      expect(
        evaluate(altered('bad-trixie', { sections })).every(({ state }) =>
          ['pass', 'finding', 'not-applicable'].includes(state),
        ),
      ).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test('files that are none are an answer or an error, never a crash', () => {
  fc.assert(
    fc.property(fc.oneof(evil, fc.string({ unit: 'binary', maxLength: 300 })), (text) => {
      auditDockerfile(`FROM a:1\n${text}`, 'd');
      parseOrRefuse(text);
      parseOrRefuse(`services:\n  a: ${text}\n`);
    }),
    { numRuns: 100 },
  );
});

function parseOrRefuse(text: string): void {
  try {
    auditCompose(text, 'c');
  } catch (error) {
    expect(error).toMatchObject({ name: 'DockerTlsErrors' });
  }
}

test('bytes that are no answer are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
      expect(() => parseAuditFacts(Buffer.from(bytes))).toThrow(expect.objectContaining({ code: 'E_AUDIT_FACTS' }));
    }),
  );
});
