/** Questions of an ssh login: host keys, passphrases of key files, passwords. */

import type { Prompts } from '../core/actions/ask.ts';
import { Secret } from '../core/domain/secret.ts';
import type { SshQuestions } from '../core/runtime.ts';
import { printable } from '../errors/errors.ts';

/** Answers are kept: 20 hosts with the same key cause one question. */
export function sshQuestions(prompts: Omit<Prompts, 'ssh'>): SshQuestions {
  const passphrases = new Map<string, Promise<Secret>>();
  /** By user; the password that each host got last. */
  const sudo = new Map<string, Promise<Secret>>();
  const tried = new Map<string, Promise<Secret>>();
  return {
    hostKey({ host, address, type, fingerprint }) {
      const [name, dialled] = [printable(host), printable(address)];
      const at = dialled === name ? '' : ` (${dialled})`;
      return prompts.confirm({
        explain:
          `${name}${at} is not a known host. It shows this ${printable(type)} key:\n  ${printable(fingerprint)}\n` +
          'Compare, on a console of the host:\n  cat /etc/ssh/ssh_host_*_key.pub | ssh-keygen -lf -',
        message: 'Is that its key?',
        default: false,
        flag: '--host-key accept-new',
      });
    },
    passphrase({ file, again = false }) {
      if (again) passphrases.delete(file);
      return once(passphrases, file, () =>
        prompts.password({
          explain: again ? `${printable(file)} was not unlocked by that one.` : undefined,
          message: `Passphrase of ${printable(file)}:`,
          flag: 'an ssh agent (ssh-add FILE)',
        }),
      );
    },
    password({ host, prompt, echo, why }) {
      const question = {
        message: `${printable(host)}: ${printable(prompt)}`,
        flag: '-i FILE',
        explain: why === undefined ? undefined : printable(why),
      };
      return echo
        ? prompts.input(question).then((text) => new Secret(text))
        : prompts.password({ ...question, allowEmpty: true });
    },
    touch({ host, key }) {
      void prompts.show(`${printable(host)}: touch the security key ${printable(key)}\n`).catch(() => undefined);
    },
    sudoPassword({ host, user, of = user, again = false }) {
      // The host itself names the account. The password of another account goes only to the host that it was typed for.
      const key = of === user ? JSON.stringify([user]) : JSON.stringify([user, of, host]);
      const at = JSON.stringify([user, of, host]);
      // If other hosts rejected it as well, one of them has already asked again.
      if (again && sudo.get(key) === tried.get(at)) sudo.delete(key);
      const other = of === user ? '' : ` of ${printable(of)}`;
      const where =
        of === user ? `every host of this run whose sudo asks ${printable(user)} for one` : 'that host alone';
      const answer = once(sudo, key, () =>
        prompts.password({
          explain: again
            ? `sudo on ${printable(host)} did not take that one.`
            : `${printable(user)} is not root, and sudo on ${printable(host)} wants a password${other}. It is sent to sudo alone, ` +
              `on ${where}, and kept nowhere.`,
          message: `Password${other} for sudo of ${printable(user)}${of === user ? '' : ` on ${printable(host)}`}:`,
          flag: '--sudo-password-file FILE',
        }),
      );
      tried.set(at, answer);
      return answer;
    },
  };
}

/** Caches the answer; after a failure, the next caller asks again. */
function once(answers: Map<string, Promise<Secret>>, key: string, ask: () => Promise<Secret>): Promise<Secret> {
  const known = answers.get(key);
  if (known) return known;
  const requested = ask();
  answers.set(key, requested);
  requested.catch(() => answers.delete(key));
  return requested;
}
