/** The whole table of unusual hosts, grouped as in docs/lists/tested-hosts.md. */

import { ACCOUNTS } from './accounts.ts';
import type { StrangeCase } from './case.ts';
import { DOCKERS, FIREWALLS, LOGINS, MOUNTS, NAMES, PROGRAMS } from './hosts.ts';
import { PLACES } from './places.ts';
import { DAEMON_JSON, ENVIRONMENT } from './settings.ts';
import { UNITS } from './units.ts';

export const STRANGE: readonly { readonly title: string; readonly cases: readonly StrangeCase[] }[] = [
  { title: 'Units', cases: UNITS },
  { title: 'Environment files', cases: ENVIRONMENT },
  { title: 'daemon.json', cases: DAEMON_JSON },
  { title: 'Firewalls and ports', cases: FIREWALLS },
  { title: 'Logins: shells, sshd, sudo', cases: [...LOGINS, ...ACCOUNTS] },
  { title: 'Missing programs', cases: PROGRAMS },
  { title: 'Mounts, disks, directories', cases: MOUNTS },
  { title: 'Directories, devices, processes', cases: PLACES },
  { title: 'Names, locales, limits', cases: NAMES },
  { title: 'Installations of Docker', cases: DOCKERS },
];
