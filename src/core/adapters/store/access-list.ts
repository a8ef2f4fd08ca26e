/**
 * Windows access lists of directories with keys, in place of modes. The user and the system have access, and files created inside inherit
 * that; the directory inherits nothing from above. icacls is part of Windows:
 * https://learn.microsoft.com/windows-server/administration/windows-commands/icacls
 */

import { execFileSync } from 'node:child_process';
import { win32 } from 'node:path';
import { DockerTlsError } from '../../../errors/errors.ts';

export type AccessListCall = { readonly program: string; readonly args: readonly string[] };

/** The command that closes `directory` to other users. It runs without a shell. */
export function accessListCall(
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
  userName: string,
): AccessListCall {
  const user = env.USERDOMAIN ? `${env.USERDOMAIN}\\${userName}` : userName;
  const everything = '(OI)(CI)F';
  return {
    // By full path: anyone could own a program of that name in PATH.
    program: win32.join(env.SystemRoot || 'C:\\Windows', 'System32', 'icacls.exe'),
    // S-1-5-18 is the system, in every language of Windows.
    args: [directory, '/inheritance:r', '/grant:r', `${user}:${everything}`, `*S-1-5-18:${everything}`],
  };
}

/** Closes a new directory to other users. Fails with E_STORE_MODES. */
export function setAccessList(
  directory: string,
  userName: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
  run: (call: AccessListCall) => void = ({ program, args }) =>
    execFileSync(program, args, { stdio: 'ignore', windowsHide: true }),
): void {
  const call = accessListCall(directory, env, userName);
  try {
    run(call);
  } catch (cause) {
    throw new DockerTlsError(
      'E_STORE_MODES',
      'the access list of the directory could not be set, so private keys could be open to other users',
      {
        where: directory,
        hints: [
          `icacls "${directory}" /inheritance:r /grant:r "${call.args[3]}"`,
          'choose a directory on an NTFS drive of this computer with --home',
        ],
        cause,
      },
    );
  }
}
