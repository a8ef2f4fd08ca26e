/** Wire form of a plan: one script, and a byte stream of secrets (parsed by the modules of src/core/host/apply). */

import type { ChangeVariables, HostScriptSettings } from '../../host/protocol.ts';
import { applyScript, ENDING_FUNCTIONS, HOLD_SCRIPT, rollbackScript } from '../../host/scripts.ts';
import type { ChangePart } from '../../seams/change-parts.ts';
import { cleanShell } from '../dockerd/clean-environment.ts';
import { shellAssignments, shellQuote } from '../quote.ts';
import type { Secret } from '../secret.ts';
import type { KeptSettings } from '../settings.ts';
import { partsOf } from './change-parts.ts';
import { viewDaemon } from './daemon-view.ts';
import type { Credentials } from './desired.ts';
import { type HostFacts, realPath } from './facts.ts';
import { type HostKind, kindOf } from './host-kind.ts';
import { type HostState, renderState, type StoreMark } from './host-state.ts';
import { checkPath, credentialEntries, daemonJsonForms, fileEntries, renderManifest, sha256 } from './manifest.ts';
import type { HostPlan } from './plan-host.ts';
import { startNeeds } from './start-needs.ts';
import { protects, validationScript } from './validation.ts';

/** Rollback script, stored on the host during a change. A timer, a boot or an administrator starts it, so it cleans its own environment. */
function storedScript(kind: HostKind, parts: readonly ChangePart[]): string {
  return [
    '#!/bin/sh',
    `case $1 in undo | commit | timer) exec ${cleanShell().join(' ')} "$0" clean "$@" ;; clean) shift ;; esac`,
    rollbackScript(
      kind.modules,
      parts.flatMap(({ rollback }) => rollback),
    ),
  ].join('\n');
}

/** Paths and unit names of a host kind, for each script of a change. */
function placesOf({ directory, service, sockets, restart, recovery, places }: HostKind) {
  return {
    UNITS: directory,
    SERVICE: service,
    TLS_SOCKET: sockets.tls,
    LOCAL_SOCKET: sockets.local,
    RESTART_COMMAND: restart,
    RECOVERY: recovery.file,
    RECOVERY_LINK: recovery.link,
    RECOVERY_LIST: recovery.list,
    LOCK: places.lock,
    RUN: places.run,
  };
}

export type TransactionOptions = {
  /** ID of the change in lock, timer and journal: letters and digits only. */
  readonly id: string;
  /** Shown to another operator: `user@computer`. */
  readonly who: string;
  readonly now: Date;
  /** Seconds until the host rolls back automatically. */
  readonly confirmWithin: number;
  /** The revision of the shared store from which the change was planned. */
  readonly store?: StoreMark | undefined;
  /** Number of generations that the host keeps. */
  readonly keep: number;
  /** Reason of the generation, for the host's records. */
  readonly reason: string;
  /** Stored on the host with the generation. */
  readonly settings: KeptSettings;
};

export type Transaction = {
  readonly id: string;
  readonly kind: HostKind;
  /** The daemon ran before the change. */
  readonly wasActive: boolean;
  readonly script: string;
  readonly input: readonly (Uint8Array | Secret)[];
  /** The host's records after the change. */
  readonly state: HostState;
};

/** Everything that the host needs for a change, in one exec. `credentials` is required if the plan creates a generation. */
export function renderTransaction(
  plan: HostPlan,
  facts: HostFacts,
  credentials: Credentials | undefined,
  options: TransactionOptions,
): Transaction {
  const protect = protects(plan);
  const entries = [
    ...(plan.purpose === 'apply' && credentials ? credentialEntries(plan, credentials, facts.places) : []),
    ...fileEntries(plan, protect),
  ];
  const kind = kindOf(facts);
  const parts = partsOf(plan);
  const settings: HostScriptSettings = {
    TXN: options.id,
    ...placesOf(kind),
    TLS_DIRECTORY: kind.places.tls,
    DAEMON: plan.daemon.action,
    WAS_ACTIVE: facts.docker.unit.active === 'active' ? 'yes' : 'no',
    SOCKET: plan.daemon.socket ?? 'none',
    SOCKET_WAS_ACTIVE: facts.docker.socket.active === 'active' ? 'yes' : 'no',
    LIVE_RESTORE: protect ? 'temporary' : 'untouched',
    LIVE_RESTORE_STAYS: plan.containers.how === 'switched-on' ? 'yes' : 'no',
    CONTAINERS: plan.containers.how === 'stop' || !kind.keepsContainers || kind.engine.apart ? 'stop' : 'keep',
    DAEMON_JSON: plan.daemonJson.path,
    NEEDS: plan.daemon.action === 'restart' ? neededPaths(facts).join('\n') : '',
    PARTS: parts.map(({ name }) => name).join(' '),
    PORTS: plan.listening === 'firewall' ? `${plan.port}` : '',
    GENERATION: `${plan.generation}`,
    KEEP: `${options.keep}`,
  };
  const more = Object.assign({}, ...parts.map((part) => part.settings?.(plan) ?? {}));
  const state = nextState(plan, facts, options);
  const forms = protect ? daemonJsonForms(plan, facts) : [];
  const contents = Object.fromEntries([
    ...forms.map(({ suffix, text }) => [`DATA_${suffix.replace('-', '_')}`, text]),
    ...entries.flatMap(({ text }, index) => (text === undefined ? [] : [[`DATA_${index + 1}`, text]])),
  ]);
  const variables: ChangeVariables = {
    TXN: options.id,
    WHO: options.who,
    CONFIRM: `${options.confirmWithin}`,
    STATE: kind.places.state,
    ...placesOf(kind),
    FRAGMENT: facts.docker.unit.fragment,
    KNOWN_UNITS: facts.docker.unit.dropIns.join('\n'),
    VALIDATE: validationScript(plan, facts, entries, credentials),
    ROLLBACK: storedScript(kind, parts),
    SETTINGS: `${shellAssignments({ ...settings, ...more })}\n`,
    MANIFEST: renderManifest(entries),
    MANAGED: plan.managed.map(({ kind, path }) => `${kind}\t${checkPath(path)}\n`).join(''),
    RECORD: renderState(state),
    ...seen(facts),
    JSON_FORMS: forms.map(({ suffix, text, mode, owner }) => `${suffix}:${sha256(text)}:${mode}:${owner}`).join(' '),
  };
  return {
    id: options.id,
    kind,
    wasActive: settings.WAS_ACTIVE === 'yes',
    script: `${shellAssignments({ ...variables, ...contents })}\n${applyScript(
      kind.modules,
      parts.flatMap(({ apply = [] }) => apply),
    )}`,
    input: entries.flatMap(({ data }) => data ?? []),
    state,
  };
}

/** Current paths of programs that dockerd needs to start. */
function neededPaths(facts: HostFacts): string[] {
  const view = viewDaemon(facts);
  const program = view.commandLine?.program ?? '';
  const needed = startNeeds(facts, view).flatMap(({ path }) => path ?? []);
  return program.startsWith('/') ? [program, ...needed] : needed;
}

/** State that the plan is based on; the host compares it when the change begins. Lines of sha256sum, and paths that did not exist. */
function seen(facts: HostFacts): Pick<ChangeVariables, 'SEEN' | 'ABSENT'> {
  const view = viewDaemon(facts);
  const watched = [
    ...new Set([
      facts.docker.unit.fragment,
      ...facts.docker.unit.dropIns,
      ...facts.docker.unit.environmentFiles,
      view.configName,
      `${facts.places.state}/state.json`,
      ...(facts.state?.managed ?? []).filter(({ kind }) => kind === 'file').map(({ path }) => path),
    ]),
  ];
  const sums: string[] = [];
  const absent: string[] = [];
  for (const path of watched) {
    const real = realPath(facts, path);
    const now = facts.files.get(real);
    if (path === '' || /[\n\\]/.test(path + real) || now === undefined) continue;
    // A truncated or non-UTF-8 text cannot be compared.
    const whole = now.kind === 'file' && now.content.length < 1_000_000 && !now.content.includes('\ufffd');
    if (now.kind === 'absent') absent.push(real);
    else if (whole) sums.push(`${sha256(now.content)}  ${path}\n`);
  }
  return { SEEN: sums.join(''), ABSENT: absent.join('\n') };
}

/** Script that takes the host's lock for some seconds before a change, or extends it. */
export function renderHold(
  { id, kind }: Pick<Transaction, 'id' | 'kind'>,
  { who, seconds }: { readonly who: string; readonly seconds: number },
): string {
  const { state, lock, run } = kind.places;
  return `${shellAssignments({ TXN: id, WHO: who, CONFIRM: `${seconds}`, STATE: state, LOCK: lock, RUN: run })}\n${HOLD_SCRIPT}`;
}

/** Host state after a rollback, in words. */
export function asBefore(remark: string): string {
  return remark === '' ? 'the host is back in its previous state' : `the host's files are restored, but ${remark}`;
}

/**
 * Script that ends a change, over any connection. `commit` keeps the change. `undo` rolls it back, even if its script was killed before
 * its rollback was armed. `record`: the host's records to keep with a commit, if they differ from those sent with the change.
 */
export function renderEnding(
  verb: 'commit' | 'undo',
  { id, kind }: Pick<Transaction, 'id' | 'kind'>,
  record?: HostState,
): string {
  const txn = `${kind.places.state}/txn`;
  // Every script runs in a clean environment, so the stored one need not clean it again.
  // For `commit` it takes the lock and checks again. If another confirmation clears the records in between, only the inner shell ends.
  if (verb === 'commit')
    return `T=${shellQuote(txn)} RECORD=${record === undefined ? '' : shellQuote(renderState(record))} id=
if [ -f "$T/settings" ]; then read -r id 2>/dev/null <"$T/id"; fi
if [ "$id" = ${shellQuote(id)} ]; then (set -- clean commit ${shellQuote(id)} && . "$T/rollback.sh") && exit; fi
[ "$id" = ${shellQuote(id)} ] && [ -f "$T/settings" ] || printf '@result nothing\\n'`;
  // The change may still run: it locks this directory from its first to its last step.
  return [
    shellAssignments({ ...placesOf(kind), STATE: kind.places.state }),
    ENDING_FUNCTIONS,
    `exec 9<${shellQuote(kind.places.run)} && flock -w 120 9`,
    `if [ ! -f ${shellQuote(`${txn}/settings`)} ] && grep -qxF ${shellQuote(`transaction=${id}`)} ${shellQuote(kind.places.lock)} 2>/dev/null; then`,
    `  clear_unarmed ${shellQuote(`${kind.places.run}/docker-tls-${id}`)}`,
    "  result undone ''",
    `elif [ -f ${shellQuote(`${txn}/rollback.sh`)} ] && [ "$(cat ${shellQuote(`${txn}/id`)} 2>/dev/null)" = ${shellQuote(id)} ]; then`,
    // mksh keeps a copy of the closed descriptor, and with it the lock, while it runs.
    '  flock -u 9; exec 9<&-',
    `  sh ${shellQuote(`${txn}/rollback.sh`)} clean undo requested`,
    'else',
    '  result nothing',
    'fi',
  ].join('\n');
}

/** The host's records after the change. */
export function nextState(
  plan: HostPlan,
  facts: HostFacts,
  options: Pick<TransactionOptions, 'now' | 'who' | 'reason' | 'settings' | 'keep' | 'store'>,
): HostState {
  const number = plan.generation === 'none' ? 0 : plan.generation;
  return {
    schema: 1,
    name: plan.host,
    generation: number,
    generations: [
      ...(facts.state?.generations ?? []),
      { number, at: options.now.toISOString(), by: options.who, reason: options.reason, settings: options.settings },
    ].slice(-options.keep),
    managed: plan.managed,
    store: options.store,
  };
}
