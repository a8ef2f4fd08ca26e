/** Options of the commands that ask hosts about the newest state of a store. */

import { SSH_OPTIONS } from '../../../cli/host-options.ts';

export const WITNESS_OPTIONS = {
  askSudoPassword: SSH_OPTIONS.askSudoPassword,
  sudoPasswordFile: SSH_OPTIONS.sudoPasswordFile,
} as const;

export const CONFIRM_OPTIONS = {
  except: {
    kind: 'list',
    value: 'HOST',
    summary: 'do not believe this host, which says that the store is older than what it has seen',
    completes: 'host',
  },
  lastCommit: {
    kind: 'text',
    value: 'NUMBER',
    summary: 'the last commit that your team knows of: answers that question where nobody can be asked',
  },
  ...WITNESS_OPTIONS,
} as const;
