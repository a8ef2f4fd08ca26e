/** Projects of many files: circles end, nothing is parsed without end, and what was not read is said. */

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of Compose.

import { expect, test } from 'vitest';
import { parseCompose } from '../../../../src/features/audit/domain/files/compose-model.ts';
import { MISSING, type Neighbours } from '../../../../src/features/audit/domain/files/compose-project.ts';
import { parseEnvFile } from '../../../../src/features/audit/domain/files/compose-variables.ts';
import { projectFiles } from '../../../../src/features/audit/domain/files/project-files.ts';
import { cpuMs } from '../../../support/cpu-time.ts';

type Files = Readonly<Record<string, string>>;

/** `{ reason }` in place of a text: a file that cannot be read. */
function around(files: Files, broken: Files = {}): Neighbours {
  const reasonOf = (path: string) => broken[path] ?? MISSING;
  return {
    root: '/project',
    read: (path) => (files[path] === undefined ? { reason: reasonOf(path) } : { text: files[path] }),
  };
}

const project = (text: string, files: Files = {}, broken: Files = {}) =>
  parseCompose([{ path: 'c.yml', text }], around({ ...files, 'c.yml': text }, broken));

const unread = (...all: Parameters<typeof project>) => project(...all).unread.map(({ text }) => text);

function within(ms: number, work: () => void): void {
  expect(cpuMs(work)).toBeLessThan(ms);
}

const tooMuch = expect.objectContaining({
  name: 'DockerTlsErrors',
  errors: [expect.objectContaining({ code: 'E_COMPOSE' })],
});

test('an .env file takes time that grows with it', () => {
  within(1000, () => parseEnvFile(`A="${'\n'.repeat(60_000)}`, new Map(), 2000));
  within(2000, () => parseEnvFile(`A='\n${'B="\n'.repeat(200_000)}`, new Map(), 200_000));
  const quoted = 'A="x\ny" # c\nB=1\n';
  expect(parseEnvFile(quoted, new Map(), 10)).toEqual([
    { name: 'A', value: 'x\ny', line: 1 },
    { name: 'B', value: '1', line: 3 },
  ]);
  expect(parseEnvFile(quoted, new Map(), 1)).toHaveLength(1);
});

test('includes that double end', () => {
  const files = Object.fromEntries(
    Array.from({ length: 30 }, (_, at) => [
      `${at}.yml`,
      `include: [${at + 1}.yml, { path: ${at + 1}.yml }]\nservices: { s${at}: { image: a } }\n`,
    ]),
  );
  expect(() => project('include: [0.yml]\n', files)).toThrow(tooMuch);
});

test('a file that is large is not parsed again for each set of variables', () => {
  const big = `services: { b: { image: a } }\n#${'x'.repeat(500_000)}\n`;
  const names = Array.from({ length: 20 }, (_, at) => `${at}.env`);
  const files = { 'b.yml': big, ...Object.fromEntries(names.map((name) => [name, 'A=1\n'])) };
  const include = (env: readonly string[]) =>
    `include: [${env.map((name) => `{ path: b.yml, env_file: ${name} }`).join(', ')}]\n`;
  expect(() => project(include(names), files)).toThrow(tooMuch);
  expect(project(include(Array(50).fill('0.env')), files).services).toHaveLength(1);
});

test('a service that many extend is resolved once', () => {
  const extending = (file: string) => `{ extends: { file: ${file}, service: a } }`;
  const files: Files = {
    ...Object.fromEntries(
      Array.from({ length: 90 }, (_, at) => [`${at}.yml`, `services: { a: ${extending(`${at + 1}.yml`)} }\n`]),
    ),
    '90.yml': 'services: { a: { privileged: true } }\n',
  };
  const many = Array.from({ length: 300 }, (_, at) => `  s${at}: ${extending('0.yml')}\n`).join('');
  const text = `services:\n${many}`;
  const neighbours = around(files);
  let reads = 0;
  const { services } = parseCompose([{ path: 'c.yml', text }], {
    ...neighbours,
    read: (path) => {
      reads += 1;
      return neighbours.read(path);
    },
  });
  expect(services.filter((service) => service.get('privileged')?.value === true)).toHaveLength(300);
  expect(reads).toBeLessThan(500);
});

test('env files have a limit, and many services may have the same one', () => {
  const one = (name: string) => `services: { a: { env_file: ${name} } }\n`;
  const variables = (count: number) => Array.from({ length: count }, (_, at) => `A${at}=1\n`).join('');
  const files = { 'many.env': variables(2001), 'few.env': variables(2000), '.env': '' };
  expect(() => project(one('many.env'), files)).toThrow(tooMuch);
  expect(() => project(one('few.env'), { ...files, '.env': variables(2001) })).toThrow(tooMuch);
  const many = Array.from({ length: 300 }, (_, at) => `  s${at}: { env_file: few.env }\n`).join('');
  expect(project(`services:\n${many}`, files).services).toHaveLength(300);
  const endless = Array.from({ length: 1500 }, (_, at) => `  s${at}: { env_file: few.env }\n`).join('');
  expect(() => project(`services:\n${endless}`, files)).toThrow(tooMuch);
});

test('a circle by any file of a list is one', () => {
  expect(
    unread('include: [{ path: [ok.yml, c.yml] }]\nservices: { a: {} }\n', { 'ok.yml': 'services: { b: {} }\n' }),
  ).toEqual([expect.toSay('cannot-tell-ok-yml')]);
});

test('a file that is included and extended is both', () => {
  const files = {
    'b.yml': 'services: { x: { privileged: true } }\n',
    'd.yml': 'services: { y: { extends: { file: b.yml, service: x } } }\n',
  };
  const { services, unread: notes } = project('include: [b.yml, d.yml]\n', files);
  expect(notes).toEqual([]);
  expect(services.find(({ name }) => name === 'y')?.get('privileged')?.value).toBe(true);
});

test.each([
  ['env_file: "${F}"', 'cannot tell: variables of ${F}: a variable decides its name'],
  ['env_file: f.env', 'cannot tell: variables of f.env: it does not exist'],
  ['project_directory: "${F}"', 'cannot tell: project_directory is ${F}: a variable decides its name'],
])('of an include, %s is not read', (setting, text) => {
  expect(unread(`include: [{ path: b.yml, ${setting} }]\n`, { 'b.yml': 'services: { x: {} }\n' })).toEqual([text]);
});

test('an env file that may be missing may not be unreadable', () => {
  const text = 'services: { a: { env_file: [{ path: a.env, required: false }, { path: b.env, required: false }] } }\n';
  expect(unread(text, {}, { 'b.env': 'EACCES' })).toEqual([expect.toSay('cannot-tell-variables-env')]);
});

test('COMPOSE_FILE of an .env file names files beside it, never a stream', () => {
  const own = { path: 'compose.yml', text: 'services: { a: {} }' };
  const listed = (value: string, files: Files = {}) =>
    projectFiles(own, around({ '.env': `COMPOSE_FILE=${value}\n`, ...files }), ':');
  expect(listed('compose.yml:b.yml', { 'b.yml': 'x: 1' })).toEqual([own, { path: 'b.yml', text: 'x: 1' }]);
  for (const value of ['compose.yml:-', 'compose.yml:hunter22'])
    expect(() => listed(value)).toThrow(
      expect.objectContaining({ message: expect.toSay('file-not-read', 2, 'COMPOSE_FILE') }),
    );
});
