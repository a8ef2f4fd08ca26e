/** Modules of the host's scripts: each lists its needs in its header, and all follow the one protocol. */

import { describe, expect, test } from 'vitest';
import { kindOf } from '../../../src/core/domain/plan/host-kind.ts';
import { renderEnding } from '../../../src/core/domain/plan/transaction.ts';
import {
  CHANGE_VARIABLES,
  CONTAINERS_STOPPED,
  LATE_STEPS,
  parseResult,
  RESULTS,
  SETTINGS,
  STEPS,
} from '../../../src/core/host/protocol.ts';
import { applyScript, BY_SYSTEMD, factsScriptOf, rollbackScript } from '../../../src/core/host/scripts.ts';
import { checkModules } from '../../support/module-checks.ts';
import { wrongResults } from '../../support/shell-modules.ts';

const ROLLBACK = rollbackScript(BY_SYSTEMD);
const APPLY = applyScript(BY_SYSTEMD);
const modules = checkModules('core/host', [
  ['rollback', ROLLBACK],
  // It includes the rollback once that has arrived.
  ['apply', `${APPLY}\n${ROLLBACK}`],
  ['facts', factsScriptOf([], [])],
]);

describe('the protocol', () => {
  const all = [...modules].filter(([file]) => !/^facts\/|\/facts\.sh$/.test(file)).map(([, module]) => module);
  const lines = all.flatMap(({ parts }) => parts.lines);

  test('every variable comes from the settings, from the change, or from a module', () => {
    const known = new Set<string>([
      ...SETTINGS,
      ...CHANGE_VARIABLES,
      'OPERATOR',
      ...all.flatMap(({ parts }) => [...parts.sets]),
    ]);
    // ${T:=…}, and sections of a program in another language.
    const unknown = all.flatMap(({ parts }) => [...parts.reads]).filter((name) => !known.has(name) && name !== 'T');
    expect(unknown).toEqual([]);
  });

  test('every setting and every variable of a change is read', () => {
    // By kinds of features: a rule of the firewall holds the port of a daemon that opens it itself.
    const elsewhere = ['PORTS'];
    const reads = new Set(all.flatMap(({ parts }) => [...parts.reads]));
    expect([...SETTINGS, ...CHANGE_VARIABLES].filter((name) => !reads.has(name) && !elsewhere.includes(name))).toEqual(
      [],
    );
  });

  test('steps', () => {
    const steps = lines.filter(([name]) => name === 'step').map(([, step]) => step);
    // One names the daemon's action.
    expect(steps.filter((step) => step === undefined)).toHaveLength(1);
    const literal = steps.filter((step) => step !== undefined);
    expect([...new Set([...literal, 'restart', 'reload', 'stop'])].sort()).toEqual([...STEPS].sort());
    const late = [...(APPLY + ROLLBACK).matchAll(/\bSTEP=([a-z-]+)/g)].map(([, step]) => step);
    const known = new Set<string>(STEPS);
    expect([...new Set(late)].filter((step) => step && !known.has(step)).sort()).toEqual([...LATE_STEPS].sort());
  });

  test('results, each with all of its fields', () => {
    expect(wrongResults(all, RESULTS)).toEqual([]);
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

  test('words by which an error is chosen are those of the script', () => {
    expect(ROLLBACK).toContain(`printf '${CONTAINERS_STOPPED}: `);
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
