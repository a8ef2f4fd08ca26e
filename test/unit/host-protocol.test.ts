/** The modules of the scripts that run on a host: each says in its header what it needs, and all keep to the one protocol. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kindOf } from '../../src/core/domain/plan/host-kind.ts';
import { renderEnding } from '../../src/core/domain/plan/transaction.ts';
import {
  CHANGE_VARIABLES,
  CONTAINERS_STOPPED,
  ENTRY_KINDS,
  LATE_STEPS,
  PACKAGE_VARIABLES,
  parseResult,
  RESULTS,
  SETTINGS,
  STEPS,
} from '../../src/core/host/protocol.ts';
import { applyScript, FACTS_SCRIPT, KIND_NAMES, rollbackScript } from '../../src/core/host/scripts.ts';
import { AUDIT_SCRIPT } from '../../src/features/audit/host/scripts.ts';
import { type ShellParts, shellParts } from '../support/shell-tree.ts';

const HOST = new URL('../../src/host/', import.meta.url).pathname;
const SHARED = ['result.sh', 'api.sh', 'unarmed.sh', 'sshd.sh', 'boot-list.sh', 'guard.sh'];
const files = [
  ...SHARED,
  ...['apply', 'rollback', 'facts', 'audit', 'packages', 'systemd', 'init', 'rootless', 'podman'].flatMap((directory) =>
    readdirSync(join(HOST, directory)).map((name) => `${directory}/${name}`),
  ),
].sort();

type Module = { readonly text: string; readonly parts: ShellParts };
const modules = new Map<string, Module>(
  files.map((file) => {
    const text = readFileSync(join(HOST, file), 'utf8');
    return [file, { text, parts: shellParts(text) }];
  }),
);
// For a user's own systemd, functions of these names stand before the programs.
const defined = new Set([...modules.values()].flatMap(({ parts }) => [...parts.functions]));
for (const name of ['systemctl', 'journalctl']) defined.delete(name);

/** What a header says: `# Needs functions: a b`, over as many lines as it takes. */
function header(text: string, what: string): string[] {
  return [...text.matchAll(new RegExp(`^# Needs ${what}: (.+)$`, 'gm'))]
    .flatMap((match) => (match[1] ?? '').split(' '))
    .sort();
}

function needs({ parts }: Module): { functions: string[]; variables: string[]; programs: string[] } {
  const others = [...parts.calls].filter((name) => !parts.functions.has(name));
  return {
    functions: others.filter((name) => defined.has(name)).sort(),
    variables: [...parts.reads].filter((name) => !parts.sets.has(name)).sort(),
    programs: others.filter((name) => !defined.has(name)).sort(),
  };
}

describe.each([...modules])('%s', (_, module) => {
  test('says which functions, variables and programs it needs, and no others', () => {
    const { text } = module;
    expect({
      functions: header(text, 'functions'),
      variables: header(text, 'variables'),
      programs: header(text, 'programs'),
    }).toEqual(needs(module));
  });

  test('is short, and a shell of any kind reads it', () => {
    expect(module.text.split('\n').length).toBeLessThan(150);
  });
});

test.each([
  ...KIND_NAMES.flatMap((manager): [string, string][] => [
    [`rollback by ${manager}`, rollbackScript(manager)],
    // It includes the rollback once that has arrived.
    [`apply by ${manager}`, `${applyScript(manager)}\n${rollbackScript(manager)}`],
  ]),
  ['facts', FACTS_SCRIPT],
  ['audit', AUDIT_SCRIPT],
])('the script of %s has every function that its modules need', (_, script) => {
  const { calls, functions } = shellParts(script);
  expect([...calls].filter((name) => defined.has(name) && !functions.has(name))).toEqual([]);
});

describe('the protocol', () => {
  const all = [...modules].filter(([file]) => !/^(facts|audit)\/|\/facts\.sh$/.test(file)).map(([, module]) => module);
  const lines = all.flatMap(({ parts }) => parts.lines);

  test('every variable comes from the settings, from the change, or from a module', () => {
    const known = new Set<string>([
      ...SETTINGS,
      ...CHANGE_VARIABLES,
      ...PACKAGE_VARIABLES,
      'OPERATOR',
      ...all.flatMap(({ parts }) => [...parts.sets]),
    ]);
    // ${T:=…}, and sections of a program in another language.
    const unknown = all.flatMap(({ parts }) => [...parts.reads]).filter((name) => !known.has(name) && name !== 'T');
    expect(unknown).toEqual([]);
  });

  test('every setting and every variable of a change is read', () => {
    const reads = new Set(all.flatMap(({ parts }) => [...parts.reads]));
    expect([...SETTINGS, ...CHANGE_VARIABLES, ...PACKAGE_VARIABLES].filter((name) => !reads.has(name))).toEqual([]);
  });

  test('steps', () => {
    const steps = lines.filter(([name]) => name === 'step').map(([, step]) => step);
    // One names what happens to the daemon.
    expect(steps.filter((step) => step === undefined)).toHaveLength(1);
    const literal = steps.filter((step) => step !== undefined);
    expect([...new Set([...literal, 'restart', 'reload', 'stop'])].sort()).toEqual([...STEPS].sort());
    const late = [
      ...KIND_NAMES.map((manager) => applyScript(manager) + rollbackScript(manager))
        .join('')
        .matchAll(/\bSTEP=([a-z-]+)/g),
    ].map(([, step]) => step);
    const known = new Set<string>(STEPS);
    expect([...new Set(late)].filter((step) => step && !known.has(step)).sort()).toEqual([...LATE_STEPS].sort());
  });

  test('results, each with all of its fields', () => {
    const results = lines.filter(([name]) => name === 'result');
    const counts = new Map<string, number[]>(Object.keys(RESULTS).map((kind) => [kind, []]));
    for (const [, kind, ...fields] of results) counts.get(kind ?? '')?.push(fields.length);
    expect(results.filter(([, kind]) => !counts.has(kind ?? ''))).toEqual([]);
    for (const [kind, found] of counts) {
      const expected = RESULTS[kind as keyof typeof RESULTS].length;
      expect(found.length, kind).toBeGreaterThan(0);
      expect(found, kind).toEqual(found.map(() => expected));
    }
    expect(all.filter(({ text }) => /(echo|printf) '@result/.test(text))).toEqual([]);
  });

  test('who starts the stored rollback gives the mutex back first: a copy of the descriptor, which mksh keeps, would hold it', () => {
    const ending = renderEnding('undo', { id: 'abc', kind: kindOf({}) });
    for (const [text, name] of [
      [ending, 'ending'],
      [modules.get('apply/take-lock.sh')?.text ?? '', 'lock'],
    ] as const) {
      const [before = '', ...after] = text.split(/^.*\bsh \S+\/rollback\.sh"? /m);
      expect([name, after.length]).toEqual([name, 1]);
      expect(before).toMatch(/flock -u 9(; |\n\s*)exec 9<&-\n\s*$/);
    }
  });

  test('kinds of entries', () => {
    const handled = [...applyScript('systemd').matchAll(/^ +([a-z| ]+)\)/gm)].flatMap(([, words]) =>
      (words ?? '').split(/[| ]+/),
    );
    for (const kind of ENTRY_KINDS) expect(handled, kind).toContain(kind);
  });

  test('words by which an error is chosen are those of the script', () => {
    for (const manager of KIND_NAMES) expect(rollbackScript(manager)).toContain(`printf '${CONTAINERS_STOPPED}: `);
  });

  test('a result is read with its fields; one of another kind, or without them, is none', () => {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    expect(parseResult(`@ lock\n@result failed ${base64('lock')} ${base64('a b\n')}\n`)).toEqual({
      kind: 'failed',
      step: 'lock',
      why: 'a b\n',
    });
    expect(parseResult('@result undone -\n')).toEqual({ kind: 'undone', remark: '' });
    expect(parseResult('@result again\n@result switched\n')).toEqual({ kind: 'switched' });
    for (const line of ['@result undone', '@result switched x', '@result toString', '@result', 'result switched'])
      expect(parseResult(`${line}\n`), line).toBeUndefined();
  });
});
