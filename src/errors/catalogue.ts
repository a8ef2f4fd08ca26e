/**
 * Catalogue of failures: code, exit status, meaning and fix. docs/lists/errors.md is generated from it (test/core/unit/error-catalogue.test.ts),
 * and every error's exit status comes from it.
 */

import { COMMAND_LINE, DOCKER_CLI, FLEET, STORE } from './codes/local.ts';
import { CA, CERTIFICATES, CLIENTS } from './codes/pki.ts';
import { AUDIT, CHANGE, DAEMON, HOST, SSH } from './codes/remote.ts';

/**
 * Exit statuses: 0 done; 1 internal bug; 2 usage or configuration; 3 an honest "no"; 4 unreachable or refused; 5 failed and rolled back; 6
 * rollback failed; 7 verification failed; 130 interrupted.
 */
export type ExitStatus = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 130;

/** Exit status; meaning, one sentence; fix, a sentence or a command. */
type CodeEntry = readonly [exit: ExitStatus, meaning: string, fix: string];
type CodeGroup = Readonly<Record<string, CodeEntry>>;

const CODES = {
  ...COMMAND_LINE,
  ...FLEET,
  ...SSH,
  ...HOST,
  ...DAEMON,
  ...CHANGE,
  ...CERTIFICATES,
  ...CA,
  ...CLIENTS,
  ...STORE,
  ...DOCKER_CLI,
  ...AUDIT,
};

/** Stable names that scripts may match. */
export type ErrorCode = keyof typeof CODES;

/** In the order of docs/lists/errors.md. */
export const ERROR_GROUPS: readonly (readonly [title: string, codes: CodeGroup])[] = [
  ['Command line and secrets', COMMAND_LINE],
  ['Fleet file', FLEET],
  ['SSH and sudo', SSH],
  ['Host', HOST],
  ['Docker daemon', DAEMON],
  ['Change and rollback', CHANGE],
  ['Certificates and keys', CERTIFICATES],
  ['CA', CA],
  ['Clients', CLIENTS],
  ['Store', STORE],
  ['Docker on this machine', DOCKER_CLI],
  ['Audit', AUDIT],
];

export function exitOfCode(code: ErrorCode): ExitStatus {
  return CODES[code][0];
}
