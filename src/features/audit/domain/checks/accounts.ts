/** Checks of accounts: who is root besides root, logins of registries, and services that listen. */

import type { AuditFacts, FileFact } from '../audit-facts.ts';
import {
  type Check,
  checksOf,
  type Evidence,
  findingAt,
  forPerson,
  judge,
  manual,
  notApplicable,
  PASS,
} from '../check.ts';
import { isLoopback } from '../exposure.ts';
import { startsContainers } from '../sudoers.ts';

const UNSAID = notApplicable('the host does not say');

function registryLogins({ registryLogins: found, accounts }: AuditFacts): readonly Evidence[] {
  return found
    .filter(({ kind }) => kind !== 'directory')
    .flatMap((file) => {
      const above = found.filter(({ kind, path }) => kind === 'directory' && file.path.startsWith(`${path}/`));
      const canRead = (gid?: number): boolean =>
        may(file, 4, gid) && above.every((directory) => may(directory, 1, gid));
      const groups = [file, ...above].filter(({ gid }) => gid !== 0 && accounts?.hasOthers(gid, file.user));
      const group = groups.find(({ gid }) => canRead(gid))?.group;
      const who = canRead() ? 'every local user' : group && `the group ${group}`;
      return who === undefined
        ? []
        : [{ place: file.path, text: `holds logins of registries, and ${who} can read it` }];
    });
}

/** Whether others, or members of this group, have a permission: 4 reads a file, 1 passes a directory. */
function may({ mode, gid: own }: FileFact, bit: number, gid?: number): boolean {
  return (mode & bit) !== 0 || (own === gid && (mode & (bit << 3)) !== 0);
}

export const ACCOUNT_CHECKS: readonly Check[] = checksOf<Check>({
  'host.12': {
    title: 'Only root has the user ID 0',
    failure: 'Other users than root have the user ID 0',
    severity: 'critical',
    why: 'Such a user is root under another name, with another password, and hardly anyone looks for it.',
    fix: 'usermod --uid NUMBER NAME, or userdel NAME',
    evaluate: ({ accounts }) =>
      accounts === undefined
        ? UNSAID
        : judge(accounts.rootTwins.map((name) => ({ place: `user ${name}`, text: 'has the user ID 0' }))),
  },
  'host.13': {
    title: 'sudo asks for a password before it starts containers',
    failure: 'sudo starts containers without a password',
    severity: 'medium',
    why: 'Anything that runs as that user, such as a hook of a package, is root without a question.',
    fix: 'Take NOPASSWD: out of the rule (visudo -f FILE), or name the few commands that need it.',
    evaluate: ({ accounts, operator }) => {
      if (accounts === undefined) return UNSAID;
      const open = accounts.sudo.filter((rule) => !rule.password && startsContainers(rule.commands));
      const verdict = judge(
        open.flatMap(({ file, who, members, commands }) =>
          members
            // The audit itself logs in as this user, and docker-tls needs its sudo.
            .filter((user) => user !== operator && user !== 'root')
            .map((user) => ({
              place: file,
              text: `${user}${who === user ? '' : `, of ${who},`} runs ${commands} as root without a password`,
            })),
        ),
      );
      const unclear = accounts.unclearSudo.map(({ file, line }) => ({ place: file, text: line }));
      return verdict.state === 'finding' || unclear.length === 0
        ? verdict
        : forPerson('do these lines start containers without a password? The audit cannot tell', unclear);
    },
  },
  'host.14': {
    title: "root's password is not empty",
    failure: "root's password is empty",
    severity: 'critical',
    why: 'Any local user becomes root by su.',
    fix: 'passwd --lock root (a user with sudo does the work of root)',
    evaluate: ({ accounts }) => {
      if (accounts?.rootPassword === undefined) return UNSAID;
      return accounts.rootPassword === 'empty' ? findingAt('user root', 'has no password') : PASS;
    },
  },
  'host.15': {
    title: 'Logins of registries are for their user only',
    failure: 'Others can read logins of registries',
    severity: 'high',
    why: 'docker login keeps the password in config.json, only encoded. With it, others push images that your hosts pull.',
    fix: 'chmod 600 the file, log in anew with another password, and use a credential helper',
    evaluate: (facts) => (facts.accounts === undefined ? UNSAID : judge(registryLogins(facts))),
  },
  'host.16': manual({
    title: 'Only needed services listen on the network',
    why: 'Every service that others can connect to can be attacked, and one in a container host can have all of its containers.',
    fix: 'systemctl disable --now NAME, or bind it to 127.0.0.1.',
    evaluate: ({ accounts }) => {
      if (accounts === undefined || accounts.listening.length === 0) return UNSAID;
      const open = accounts.listening.filter(({ address }) => !isLoopback(address.replace(/(%[^:]*)?:\d+$/, '')));
      const words = open.map(({ protocol, address, program }) => ({ place: program, text: `${protocol} ${address}` }));
      return words.length === 0 ? PASS : forPerson('does this host need each of these services?', words);
    },
  }),
  'host.17': manual({
    title: 'root has no password of its own',
    why: 'With a locked password root is reached by sudo only, which logs who it was.',
    fix: 'passwd --lock root (after a user with sudo and a key is there)',
    evaluate: ({ accounts }) =>
      accounts?.rootPassword === undefined
        ? UNSAID
        : accounts.rootPassword === 'locked'
          ? PASS
          : forPerson('does anyone need a password of root, as for a console?', [
              { place: '/etc/shadow', text: 'root has a password' },
            ]),
  }),
});
