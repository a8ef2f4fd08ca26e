import { expect, test, vi } from 'vitest';
import { openTerminal } from '../../../../src/features/openssh/adapters/terminal.ts';

test('without ssh the hint installs it by the package manager of this computer', async () => {
  vi.stubEnv('PATH', '/nowhere');
  const run = openTerminal({ destination: 'build-1' }, []);
  await expect(run).rejects.toMatchObject({
    code: 'E_PROGRAM_MISSING',
    exit: 2,
    hints: [expect.stringMatching(/^apt-get install .*openssh-client$/)],
  });
  vi.unstubAllEnvs();
});
