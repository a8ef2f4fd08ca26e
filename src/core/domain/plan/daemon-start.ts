/** Start command of the daemon by host kind: command line and variables, without the additions of docker-tls. */

import { type CommandLine, parseCommandLine } from '../dockerd/command-line.ts';
import { isOurDropIn } from '../dockerd/drop-in.ts';
import { type Assignment, environmentValue } from '../dockerd/environment-file.ts';
import { effectiveList, splitWords, type UnitFile, type UnitSetting } from '../dockerd/unit.ts';
import { byKind } from './by-kind.ts';
import { fileText, type HostFacts, realPath } from './facts.ts';
import { kindOf } from './host-kind.ts';

/** A variable's value and its file; `file` is undefined if the unit itself sets it. */
export type PlacedVariable = Assignment & { readonly path: string; readonly file: string | undefined };

export type DaemonStart = {
  readonly execStart: UnitSetting | undefined;
  readonly commandLine: CommandLine | undefined;
  /** Names of other drop-ins than ours, without directory. */
  readonly otherDropIns: readonly string[];
  /** Looks up any variable of the command line. */
  readonly variable: (name: string) => PlacedVariable | undefined;
};

export type StartReader = (facts: HostFacts) => DaemonStart;

export const STARTS = byKind<StartReader>(startOfUnit);

export function readStart(facts: HostFacts): DaemonStart {
  return STARTS.of(kindOf(facts).name)(facts);
}

/** The daemon's unit files in systemd's order, without ours. */
export function unitFilesOf(facts: HostFacts): UnitFile[] {
  const paths = [facts.docker.unit.fragment, ...facts.docker.unit.dropIns].filter((path) => path !== '');
  const managed = new Set(facts.state?.managed.map(({ path }) => path));
  return paths
    .map((path) => ({ path, text: fileText(facts, path) ?? '' }))
    .filter(({ path, text }) => !managed.has(path) && !isOurDropIn(path, text));
}

function startOfUnit(facts: HostFacts): DaemonStart {
  const files = unitFilesOf(facts);
  const execStart = effectiveList(files, 'Service', 'ExecStart').at(-1);
  const variable = (name: string): PlacedVariable | undefined => readVariable(name, facts, files);
  return {
    execStart,
    commandLine:
      execStart === undefined ? undefined : parseCommandLine(execStart.value, (name) => variable(name)?.value),
    otherDropIns: files.slice(facts.docker.unit.fragment === '' ? 0 : 1).map(({ path }) => fileName(path)),
    variable,
  };
}

/** Last component of a path. */
function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The daemon's value of a variable: the last assignment counts, and environment files override the unit's settings. */
function readVariable(name: string, facts: HostFacts, files: readonly UnitFile[]): PlacedVariable | undefined {
  const value = `${name}=`;
  let found: PlacedVariable | undefined;
  for (const { value: words, line, path } of effectiveList(files, 'Service', 'Environment')) {
    const word = splitWords(words).findLast(({ text }) => text.startsWith(value));
    if (word) found = { value: word.text.slice(value.length), line, endLine: line, path, file: undefined };
  }
  for (const file of facts.docker.unit.environmentFiles) {
    const assignment = environmentValue(fileText(facts, file) ?? '', name);
    if (assignment) found = { ...assignment, path: realPath(facts, file), file: realPath(facts, file) };
  }
  return found;
}
