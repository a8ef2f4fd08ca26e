/** Authorization plugins that refuse a change's requests: the result is then unknown, and the change does not fail. */

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { rollbackScript } from '../../support/host-script.ts';

const SCRIPT = rollbackScript;

/** Exit status of a request for this answer of the daemon. */
function ask(question: string, body: string, status: number): number | null {
  const script = `set --; T=/nowhere/txn; . ${SCRIPT}; TXN=abc123 socket=/s began=1; api() { printf '%s\\n--abc123 api %s /x\\n' "$BODY" "$STATUS"; }; ${question}`;
  return spawnSync('sh', ['-c', script], { env: { ...process.env, BODY: body, STATUS: `${status}` } }).status;
}

const denied = '{"message":"authorization denied by plugin opa: no"}';
const broken = '{"message":"plugin opa failed with error: AuthZPlugin.AuthZReq: dial unix opa.sock: connect: refused"}';

test.each([
  ['live_restore_is true', '{"LiveRestoreEnabled":true}', 200, 0],
  ['live_restore_is true', '{"LiveRestoreEnabled":false}', 200, 1],
  ['live_restore_is true', '', 0, 1],
  ['live_restore_is true', denied, 403, 2],
  ['live_restore_is true', broken, 500, 2],
  ['live_restore_is true', '{"message":"starting"}', 503, 1],
  ['reloaded', '{"Action":"reload"}', 200, 0],
  ['reloaded', '', 200, 1],
  ['reloaded', denied, 403, 2],
])('%s, answered %s with %i: %i', (question, body, status, exit) => {
  expect(ask(question, body, status)).toBe(exit);
});

test.each([
  ['"LiveRestoreEnabled":true', 'true', 0],
  ['"LiveRestoreEnabled":true', 'false', 1],
  ['Error response from daemon: authorization denied by plugin opa: no', 'true', 2],
  ['', 'true', 1],
])('a host that has the docker command alone, which warns and says %s: is it %s? %i', (answer, wanted, exit) => {
  const docker = `docker() { case $* in *'"LiveRestoreEnabled":{{.LiveRestoreEnabled}}'*) ;; *) return 1 ;; esac; echo 'WARNING: Error loading config file' >&2; printf '%s\\n' "$ANSWER"; echo late >&2; }`;
  const script = `set --; T=/nowhere/txn; . ${SCRIPT}; TXN=abc123 socket=/s began=1; api() { return 2; }; timeout() { shift; "$@"; }; ${docker}; live_restore_is ${wanted}`;
  expect(spawnSync('sh', ['-c', script], { env: { ...process.env, ANSWER: answer } }).status).toBe(exit);
});

test('a clock that is set in the middle does not cut the waiting short', () => {
  const date = `n=$(cat "$COUNT" 2>/dev/null); echo "\${n}x" >"$COUNT"; echo $((1000000 * \${#n}))`;
  const script = `set --; T=/nowhere/txn; . ${SCRIPT}; COUNT=$(mktemp); date() { ${date}; }; asked=0; third() { asked=$((asked + 1)); [ $asked = 3 ]; }; await third; status=$?; rm -f "$COUNT"; exit $status`;
  expect(spawnSync('sh', ['-c', script]).status).toBe(0);
});
