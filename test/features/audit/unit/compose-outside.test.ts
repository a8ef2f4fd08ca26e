/** What a Compose file takes from outside: files of the host, and values of env files. */

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of Compose.

import { describe, expect, test } from 'vitest';
import { auditComposeFiles } from '../../../../src/features/audit/domain/files/audited-file.ts';
import { MISSING } from '../../../../src/features/audit/domain/files/compose-project.ts';

const results = (text: string, others: Readonly<Record<string, string>> = {}) =>
  auditComposeFiles('c.yaml', [{ path: 'c.yaml', text }], {
    root: '/srv/app',
    read: (path) => (others[path] === undefined ? { reason: MISSING } : { text: others[path] }),
  }).results;

const found = (id: string, text: string, others: Readonly<Record<string, string>> = {}) =>
  results(text, others)
    .filter((result) => result.id === `compose.${id}`)
    .flatMap(({ evidence }) => evidence.map((piece) => piece.text));

describe('files of secrets and configs are mounts', () => {
  const used = (top: string, own: string) => `services: { a: { image: a:1, ${own} } }\n${top}\n`;
  test.each([
    [
      '5.32',
      'secrets: { s: { file: /var/run/docker.sock } }',
      'secrets: [s]',
      '/var/run/docker.sock',
      '/run/secrets/s',
    ],
    ['5.6', 'configs: { c: { file: /etc } }', 'configs: [{ source: c, target: /x }]', '/etc', '/x'],
    [
      '5.6',
      'secrets: { s: { file: ../../etc/shadow } }',
      'secrets: [s]',
      '../../etc/shadow (/etc/shadow)',
      '/run/secrets/s',
    ],
  ])('%s: %s', (id, top, own, source, target) => {
    expect(found(id, used(top, own))).toContainEqual(expect.toSay('mounted', source, target));
    expect(found(id, used(top, 'init: true'))).toEqual([]);
  });

  test('one inside of the project is its own', () => {
    expect(found('5.6', used('secrets: { s: { file: s.txt } }', 'secrets: [s]'))).toEqual([]);
  });

  test('a variable that the shell decides hides it', () => {
    expect(found('unread', used('secrets: { s: { file: "${FILE}" } }', 'secrets: [s]'))).toEqual([
      expect.toSay('cannot-tell-file-secret'),
    ]);
    expect(found('unread', used('secrets: { s: { file: x } }', 'secrets: ["${NAME}"]'))).toEqual([
      expect.toSay('cannot-tell-name-secret'),
    ]);
  });
});

test('a mount of a type that is not known may be a bind mount', () => {
  const text = 'services: { a: { volumes: [{ type: "${TYPE}", source: /etc, target: /x }] } }\n';
  expect(found('5.6', text)).toEqual([expect.toSay('mounted-writable', '/etc', '/x')]);
  expect(found('unread', text)).toEqual([expect.toSay('cannot-tell-type-volume')]);
  expect(found('5.6', text.replace('"${TYPE}"', 'volume'))).toEqual([]);
});

test('of no-new-privileges the last one counts', () => {
  const text = (...values: string[]) =>
    `services: { a: { security_opt: [${values.map((value) => `"no-new-privileges:${value}"`).join(', ')}] } }\n`;
  expect(found('5.26', text('true', 'false'))).toHaveLength(1);
  expect(found('5.26', text('false', 'true'))).toEqual([]);
});

const HIDDEN = 'hunter22';

/** Each is wrong by a value of .env, which is not shown. */
test.each([
  ['5.25', 'cgroup_parent: ${V}', HIDDEN],
  ['tag', 'image: ${V}', HIDDEN],
  ['5.15', 'restart: ${V}', 'on-failure:9'],
  ['4.1', 'user: ${V}', `0:${HIDDEN}`],
  ['5.6', 'volumes: ["${V}:/x"]', `/etc/${HIDDEN}`],
  ['5.6', 'volumes: [{ type: bind, source: "/etc/${V}", target: "/${V}" }]', HIDDEN],
  ['5.6', 'secrets: [{ source: s, target: "${V}" }]', HIDDEN],
  ['5.4', 'cap_add: ["${V}"]', HIDDEN],
  ['5.8', 'ports: ["${V}:80"]', '22'],
  ['5.14', 'ports: [{ target: 80, published: "${V}" }]', HIDDEN],
  ['5.18', 'devices: ["${V}:/x"]', HIDDEN],
  ['5.18', 'devices: [{ source: "${V}", target: /x }]', HIDDEN],
  ['5.22', 'security_opt: ["seccomp:${V}"]', 'open.json'],
  ['shared', 'pid: ${V}', `container:${HIDDEN}`],
  ['shared', 'volumes_from: ["container:${V}"]', HIDDEN],
  ['limits', 'oom_score_adj: ${V}', '-987'],
  ['build', 'build: { context: ., entitlements: ["${V}"] }', `device=${HIDDEN}`],
  ['pipe', 'command: curl -o ${V} https://example.com/x && sh ${V}', HIDDEN],
  ['verify', 'environment: { PIP_TRUSTED_HOST: "${V}" }', HIDDEN],
  ['verify', 'command: sh -c "x; ${V}"', `PIP_TRUSTED_HOST=${HIDDEN}`],
  ['inline', 'build: { dockerfile_inline: "FROM a:1\\nRUN echo ${V}:x | chpasswd" }', HIDDEN],
  ['unread', 'env_file: ["${V}"]', HIDDEN],
  ['unread', 'extends: { file: "${V}", service: x }', HIDDEN],
  ['unread', 'extends: { service: "${V}" }', HIDDEN],
])('%s by a value of an env file: %s', (id, setting, value) => {
  const others = { '.env': `V=${value}\n`, 'open.json': '{"defaultAction":"SCMP_ACT_ALLOW"}' };
  const text = `services:\n  a:\n    ${setting}\nsecrets: { s: { file: /etc } }\n`;
  const shown = found(id, text, others);
  expect(shown).not.toEqual([]);
  const words = results(text, others).flatMap(({ evidence }) => evidence.map((piece) => piece.text));
  expect(words.join('\n')).not.toContain(value);
});

test('a hook is judged by the value, and its secrets by the text of the file', () => {
  const text = 'services: { a: { post_start: [{ command: "DB_PASSWORD=${V} x" }] } }\n';
  expect(found('4.10', text, { '.env': `V=${HIDDEN}\n` })).toEqual([]);
  expect(found('4.10', text.replace('${V}', HIDDEN))).toEqual([expect.toSay('command-written-out', 'DB_PASSWORD')]);
});

test.each(['${X:+hunter22}', '${X+hunter22}', 'a${X:+b}'])('an alternative is written out: %s', (value) => {
  expect(found('4.10', `services: { a: { environment: { DB_PASSWORD: "${value}" } } }\n`)).toEqual([
    'DB_PASSWORD is written out',
  ]);
});

test('the comments of a Dockerfile in the file accept its own findings', () => {
  const text = (comment: string) =>
    `services:\n  a:\n    build:\n      dockerfile_inline: |\n        FROM a:1\n${comment}        USER root\n`;
  expect(found('inline', text(''))).toHaveLength(1);
  expect(found('inline', text('        # docker-tls ignore=dockerfile.4.1 it drops its rights\n'))).toEqual([]);
  expect(found('inline', text('        # docker-tls ignore=dockerfile.tag x\n'))).toHaveLength(1);
});
