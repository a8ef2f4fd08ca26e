import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDirSync, removeSync } from 'fs-extra/esm';
import { afterAll, describe, expect, test } from 'vitest';
import { runIn, SHELLS } from '../../support/module-shell.ts';

const HOST = new URL('../../../src/core/host/', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-functions-'));
afterAll(() => removeSync(directory));

function moduleText(name: string): string {
  return readFileSync(join(HOST, name), 'utf8');
}

describe.each(SHELLS)('by %s', (shell) => {
  const run = (script: string) => runIn(shell, script);

  test.each([
    ['a new unit file', '1\tfile\t0644\t0:0\tdata:ab\t/x\n', true, 3],
    ['new settings in daemon.json', '1\tfile\t0644\t0:0\tdata:ab\t/etc/docker/daemon.json\n', false, 3],
    ['live-restore for the restart alone', '1\tfile\t-\t-\tsame\t/etc/docker/daemon.json\n', false, 0],
    ['live-restore for the restart, and a unit file', '1\tfile\t-\t-\tsame\t/etc/docker/daemon.json\n', true, 3],
    ['new certificates', '1\tblob\t0444\t0:0\tdata:ab\t/etc/docker/tls/2/ca.pem\n', false, 0],
  ])('limits of starts are lifted for what units or settings need, and deleted: %s', (_, manifest, units, lifted) => {
    const [live, etc] = [join(directory, 'limits'), join(directory, 'units')];
    const module = moduleText('systemd/limits.sh').replaceAll('/run/systemd/system', live);
    ensureDirSync(live);
    ensureDirSync(etc);
    if (units) writeFileSync(join(directory, 'units-changed'), '');
    const variables = `BACK=no DAEMON=restart DAEMON_JSON=/etc/docker/daemon.json UNITS=${etc} T='${directory}'
      SERVICE=docker.service LOCAL_SOCKET=docker.socket TLS_SOCKET=docker-tls.socket TAB='\t' NL='\n' MANIFEST='${manifest}'`;
    const stubs = 'mark() { echo "$1"; }';
    const script = `${variables}\n${module.replaceAll('/etc/systemd/system', etc)}\n${stubs}\nlift_start_limits`;
    const files = `set -- ${live}/*/*.conf; [ -e "$1" ] || shift; echo $#`;
    const words = run(`${script}; ${files}; delete_lifted_limits; ${files}; ls ${live}`).split('\n');
    expect(words).toEqual(lifted === 0 ? ['0', '0', ''] : ['units-changed', `${lifted}`, '0', '']);
    // systemd may have read the units for somebody else, and forgotten the recovery unit.
    const forget = `${stubs}\n${moduleText('systemd/recovery.sh')}\nreread() { echo reread; }; systemctl() { echo LoadState=not-found; }`;
    const forgotten = run(`${script}\n${forget}\nforget_recovery; forget_recovery`).replace('units-changed\n', '');
    expect(forgotten).toBe(lifted === 0 ? '' : 'reread\n');
    removeSync(join(directory, 'units-changed'));
  });

  test('labels are restored of what is there', () => {
    writeFileSync(join(directory, 'created'), `${directory}\n${directory}/none\n`);
    writeFileSync(join(directory, 'manifest'), '');
    const [, labels = ''] = /(restore_labels\(\) \{\n.*?\n\})\n/s.exec(moduleText('apply/switch.sh')) ?? [];
    const stubs = 'selinuxenabled() { :; }; restorecon() { echo "$*" >&5; }; exec 5>&1';
    expect(run(`${labels}\n${stubs}\nT='${directory}' CREATED='${directory}/created' TAB='\t'; restore_labels`)).toBe(
      `-- ${directory}\n`,
    );
  });

  test.each(['yes', 'no'])('a failed rollback waits for the daemon that ran before: %s', (ran) => {
    ensureDirSync(join(directory, 'txn'));
    for (const [name, text] of Object.entries({ failed: '', settings: `DAEMON='stop'\nWAS_ACTIVE='${ran}'\n` }))
      writeFileSync(join(directory, 'txn', name), text);
    const [line = ''] = /^awaits_daemon\(\) .*$/m.exec(moduleText('facts/records.sh')) ?? [];
    expect(run(`STATE='${directory}'\n${line}\nawaits_daemon && printf yes || printf no`)).toBe(ran);
  });
});
