/** The type of a case of a strange host: data, of which test/e2e/strange.test.ts makes a host, and test/support/hosts-doc.ts a table. */

import type { ErrorCode } from '../../../src/errors/catalogue.ts';
import type { LabUser } from '../lab.ts';

export type StrangeCase = {
  /** What is strange, as docs/hosts.md has it. */
  readonly name: string;
  /** Shell, by root on the host. What it does to /etc is undone afterwards, and docker.service restarted. */
  readonly make: string;
  /** Shell, after setup: what others do to our files. Plain HTTP then gets no answer of the API, and `apply` repairs it. */
  readonly later?: string;
  /** What undoes the rest; absent and needed all the same: the next case gets a new host. */
  readonly end?: string;
  /** Absent: setup, a second one with nothing to do, and remove work, and leave the host as it was. Otherwise setup ends with this. */
  readonly code?: ErrorCode;
  /** What is said, whitespace folded. */
  readonly says?: RegExp;
  /** What docs/hosts.md adds. */
  readonly remark?: string;
  readonly user?: LabUser;
  /** Lines of the person's ssh config. */
  readonly config?: string;
  /** By root on the host itself: `setup local`. */
  readonly local?: true;
  readonly setup?: readonly string[];
  readonly remove?: readonly string[];
  /** How Docker 20.10 (bookworm) differs: it works there, or the case cannot be made. */
  readonly on20?: 'works' | 'left out';
  /** The same of Docker 28.5 (sid). */
  readonly on28?: 'works';
  /** One of the dozen that CI runs. */
  readonly short?: true;
};

export const DROP_INS = '/etc/systemd/system/docker.service.d';
export const RESTART =
  'systemctl daemon-reload; systemctl reset-failed docker.service 2>/dev/null; systemctl restart docker.service';

/** Writes a file, its directories too. */
export function put(path: string, text: string): string {
  return `mkdir -p '${path.replace(/\/[^/]*$/, '')}' && cat >'${path}' <<'END_OF_FILE'\n${text}\nEND_OF_FILE\n`;
}

/** A drop-in of docker.service, and the daemon on it. */
export function unit(text: string, name = 'own.conf'): string {
  return `${put(`${DROP_INS}/${name}`, text)}${RESTART}`;
}

/** Another command line of the daemon. */
export function execStart(line: string): string {
  return unit(`[Service]\nExecStart=\nExecStart=${line}`);
}

/** A daemon.json, and the daemon on it. */
export function json(text: string): string {
  return `${put('/etc/docker/daemon.json', text)}${RESTART}`;
}

/** Takes a program away, and gives it back. */
export function without(path: string): Pick<StrangeCase, 'make' | 'end'> {
  return { make: `mv ${path} ${path}.away`, end: `mv ${path}.away ${path}` };
}

/** A variable as a unit has it: biome takes the braces for a mistake. */
export function braced(name: string): string {
  return `$\{${name}}`;
}
