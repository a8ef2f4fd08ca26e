/** The type of a case of an unusual host: data from which test/e2e/strange.test.ts makes a host, and test/support/hosts-doc.ts a table. */

import type { ErrorCode } from '../../../src/errors/catalogue.ts';
import type { LabUser } from '../lab.ts';

export type StrangeCase = {
  /** The peculiarity, as in docs/lists/tested-hosts.md. */
  readonly name: string;
  /** Shell, run by root on the host. The test reverts its changes to /etc and restarts docker.service. */
  readonly make: string;
  /** Shell, after setup: changes by others to our files. The API then must not answer plain HTTP, and `apply` repairs the files. */
  readonly later?: string;
  /** Reverts all other changes; if absent but needed, the next case gets a new host. */
  readonly end?: string;
  /** The error of setup. Absent: setup, a second one without changes, and remove all work, and restore the host. */
  readonly code?: ErrorCode;
  /** The expected message, with whitespace folded. */
  readonly says?: RegExp;
  /** Additional text in docs/lists/tested-hosts.md. */
  readonly remark?: string;
  /** Only a build with it has the case. */
  readonly feature?: string;
  readonly user?: LabUser;
  /** Lines of the user's ssh config. */
  readonly config?: string;
  /** Run by root on the host itself: `setup local`. */
  readonly local?: true;
  readonly setup?: readonly string[];
  readonly remove?: readonly string[];
  /** The difference on Docker 20.10 (bookworm): it works, or the case is impossible. */
  readonly on20?: 'works' | 'left out';
  /** Same for Docker 28.5 (sid). */
  readonly on28?: 'works';
  /** One of the dozen cases in CI. */
  readonly short?: true;
};

export const DROP_INS = '/etc/systemd/system/docker.service.d';
export const RESTART =
  'systemctl daemon-reload; systemctl reset-failed docker.service 2>/dev/null; systemctl restart docker.service';

/** Writes a file, and creates its directories. */
export function put(path: string, text: string): string {
  return `mkdir -p '${path.replace(/\/[^/]*$/, '')}' && cat >'${path}' <<'END_OF_FILE'\n${text}\nEND_OF_FILE\n`;
}

/** Adds a drop-in to docker.service and restarts the daemon with it. */
export function unit(text: string, name = 'own.conf'): string {
  return `${put(`${DROP_INS}/${name}`, text)}${RESTART}`;
}

/** Replaces the daemon's command line. */
export function execStart(line: string): string {
  return unit(`[Service]\nExecStart=\nExecStart=${line}`);
}

/** Writes daemon.json and restarts the daemon with it. */
export function json(text: string): string {
  return `${put('/etc/docker/daemon.json', text)}${RESTART}`;
}

/** Removes a program, and restores it. */
export function without(path: string): Pick<StrangeCase, 'make' | 'end'> {
  return { make: `mv ${path} ${path}.away`, end: `mv ${path}.away ${path}` };
}

/** A variable in a unit's syntax: biome mistakes the braces for an error. */
export function braced(name: string): string {
  return `$\{${name}}`;
}
