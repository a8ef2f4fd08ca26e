/** Modules of each host script, in order. Each module's header lists its requirements. */

import apiModule from './api.sh';
import armModule from './apply/arm.sh';
import holdModule from './apply/hold.sh';
import keepModule from './apply/keep.sh';
import lockModule from './apply/lock.sh';
import receiveModule from './apply/receive.sh';
import stageModule from './apply/stage.sh';
import switchModule from './apply/switch.sh';
import takeLockModule from './apply/take-lock.sh';
import validateModule from './apply/validate.sh';
import bootListModule from './boot-list.sh';
import factsDaemonModule from './facts/daemon.sh';
import factsHostModule from './facts/host.sh';
import factsMainModule from './facts/main.sh';
import factsPathsModule from './facts/paths.sh';
import factsProgramsModule from './facts/programs.sh';
import factsRecordsModule from './facts/records.sh';
import factsSectionsModule from './facts/sections.sh';
import factsServiceModule from './facts/service.sh';
import guardModule from './guard.sh';
import resultModule from './result.sh';
import answerModule from './rollback/answer.sh';
import baseModule from './rollback/base.sh';
import changedModule from './rollback/changed.sh';
import commitModule from './rollback/commit.sh';
import containersModule from './rollback/containers.sh';
import daemonModule from './rollback/daemon.sh';
import partsModule from './rollback/parts.sh';
import portModule from './rollback/port.sh';
import protectionModule from './rollback/protection.sh';
import restoreModule from './rollback/restore.sh';
import resumeModule from './rollback/resume.sh';
import servicesModule from './rollback/services.sh';
import undoModule from './rollback/undo.sh';
import verbsModule from './rollback/verbs.sh';
import systemdArmModule from './systemd/arm.sh';
import systemdDependentsModule from './systemd/dependents.sh';
import systemdFactsModule from './systemd/facts.sh';
import systemdLimitsModule from './systemd/limits.sh';
import systemdPulledModule from './systemd/pulled.sh';
import systemdRecoveryModule from './systemd/recovery.sh';
import systemdServiceModule from './systemd/service.sh';
import systemdUnitsModule from './systemd/units.sh';
import systemdUnreadModule from './systemd/unread.sh';
import unarmedModule from './unarmed.sh';

/**
 * Modules of a kind of host; those of all kinds define the same functions. `rollback`: look_at_service, obstacle, find_daemon, runs, note_pulled,
 * reset_failed, start_service, restart_docker, last_words, read_at_boot, stop_timer, forget_recovery, lift_start_limits.
 * `apply`: unread_units, write_recovery, set_recovery_goal, start_timer.
 */
export type KindModules = { readonly rollback: readonly string[]; readonly apply: readonly string[] };

export const BY_SYSTEMD: KindModules = {
  rollback: [
    systemdUnitsModule,
    systemdDependentsModule,
    systemdServiceModule,
    systemdLimitsModule,
    systemdPulledModule,
    systemdRecoveryModule,
  ],
  apply: [systemdUnreadModule, systemdArmModule],
};

/** The rollback script, stored on the host while a change is pending. `parts`: modules of features; a kind may define their functions anew. */
export function rollbackScript(kind: KindModules, parts: readonly string[] = []): string {
  return [
    baseModule,
    resultModule,
    apiModule,
    bootListModule,
    changedModule,
    restoreModule,
    answerModule,
    containersModule,
    daemonModule,
    protectionModule,
    portModule,
    partsModule,
    ...parts,
    ...kind.rollback,
    servicesModule,
    undoModule,
    resumeModule,
    commitModule,
    verbsModule,
  ].join('\n');
}

/** The script of a change, up to the restarted daemon. It includes the rollback script once that has arrived. */
export function applyScript(kind: KindModules, parts: readonly string[] = []): string {
  return [
    ...parts,
    ...kind.apply,
    bootListModule,
    unarmedModule,
    resultModule,
    guardModule,
    takeLockModule,
    lockModule,
    receiveModule,
    armModule,
    validateModule,
    stageModule,
    keepModule,
    switchModule,
  ].join('\n');
}

/** Takes the host lock only. */
export const HOLD_SCRIPT: string = [resultModule, guardModule, takeLockModule, holdModule].join('\n');

/** Functions that end a change that may not have armed its rollback. */
export const ENDING_FUNCTIONS: string = [bootListModule, unarmedModule, resultModule].join('\n');

/**
 * The script that gathers facts for a plan. `kinds`: names of kinds beside the core's; `parts`: names of parts of a change; `modules`: of the
 * functions that recognize the former, and read the latter. `firewall`: modules that judge one need.
 */
export function factsScriptOf(
  kinds: readonly string[],
  modules: readonly string[],
  parts: readonly string[] = [],
  firewall: readonly string[] = [],
): string {
  return [
    `KINDS='${[...kinds, 'systemd'].join(' ')}' PARTS='${parts.join(' ')}'`,
    factsProgramsModule,
    apiModule,
    systemdUnreadModule,
    factsSectionsModule,
    factsPathsModule,
    systemdFactsModule,
    ...modules,
    factsServiceModule,
    factsDaemonModule,
    factsHostModule,
    guardModule,
    factsRecordsModule,
    ...firewall,
    factsMainModule,
  ].join('\n');
}
