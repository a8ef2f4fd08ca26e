import { describe, expect, it } from 'vitest';
import { dockerHost } from '../../../src/core/domain/destination.ts';
import {
  detectShell,
  renderEnvironment,
  SHELLS,
  type Shell,
  useOf,
} from '../../../src/core/domain/shell-environment.ts';

const plain = {
  DOCKER_HOST: 'tcp://10.0.0.7:2376',
  DOCKER_TLS_VERIFY: '1',
  DOCKER_CERT_PATH: '/home/ada/.docker/tls/clients/laptop',
};
const awkward = { ...plain, DOCKER_HOST: 'tcp://[::1]:2376', DOCKER_CERT_PATH: "/home/o'brien/50% off!/a  b" };
const usage = 'docker-tls env build-1';

const golden: [Shell, typeof plain, string][] = [
  [
    'sh',
    plain,
    `export DOCKER_HOST='tcp://10.0.0.7:2376'
export DOCKER_TLS_VERIFY='1'
export DOCKER_CERT_PATH='/home/ada/.docker/tls/clients/laptop'
# eval "$(docker-tls env build-1)"
`,
  ],
  [
    'fish',
    awkward,
    `set -gx DOCKER_HOST 'tcp://[::1]:2376'
set -gx DOCKER_TLS_VERIFY '1'
set -gx DOCKER_CERT_PATH '/home/o\\'brien/50% off!/a  b'
# docker-tls env build-1 | source
`,
  ],
  [
    'powershell',
    { ...awkward, DOCKER_CERT_PATH: "C:\\Users\\O'Brien's `$HOME\\a'b" },
    `$Env:DOCKER_HOST = 'tcp://[::1]:2376'
$Env:DOCKER_TLS_VERIFY = '1'
$Env:DOCKER_CERT_PATH = 'C:\\Users\\O''Brien''s \`$HOME\\a''b'
# & docker-tls env build-1 | Invoke-Expression
`,
  ],
  [
    'cmd',
    { ...awkward, DOCKER_CERT_PATH: 'C:\\Users\\A & B (50%)\\tls^!' },
    `SET "DOCKER_HOST=tcp://[::1]:2376"
SET "DOCKER_TLS_VERIFY=1"
SET "DOCKER_CERT_PATH=C:\\Users\\A & B (50%%)\\tls^!"
REM docker-tls env build-1 > "%TEMP%\\docker-tls.cmd" && call "%TEMP%\\docker-tls.cmd"
`,
  ],
  [
    'tcsh',
    awkward,
    `setenv DOCKER_HOST 'tcp://[::1]:2376';
setenv DOCKER_TLS_VERIFY '1';
setenv DOCKER_CERT_PATH '/home/o'\\''brien/50% off\\!/a  b';
: 'eval "\`docker-tls env build-1\`"';
`,
  ],
  [
    'dotenv',
    awkward,
    `DOCKER_HOST=tcp://[::1]:2376
DOCKER_TLS_VERIFY=1
DOCKER_CERT_PATH="/home/o'brien/50% off!/a  b"
`,
  ],
  [
    'github',
    awkward,
    `DOCKER_HOST=tcp://[::1]:2376
DOCKER_TLS_VERIFY=1
DOCKER_CERT_PATH=/home/o'brien/50% off!/a  b
`,
  ],
  [
    'json',
    plain,
    `{
  "DOCKER_HOST": "tcp://10.0.0.7:2376",
  "DOCKER_TLS_VERIFY": "1",
  "DOCKER_CERT_PATH": "/home/ada/.docker/tls/clients/laptop"
}
`,
  ],
];

const goldenUnset: [Shell, string][] = [
  ['sh', 'unset DOCKER_HOST\nunset DOCKER_TLS_VERIFY\nunset DOCKER_CERT_PATH\n# eval "$(docker-tls env build-1)"\n'],
  ['bash', 'unset DOCKER_HOST\nunset DOCKER_TLS_VERIFY\nunset DOCKER_CERT_PATH\n# eval "$(docker-tls env build-1)"\n'],
  ['zsh', 'unset DOCKER_HOST\nunset DOCKER_TLS_VERIFY\nunset DOCKER_CERT_PATH\n# eval "$(docker-tls env build-1)"\n'],
  [
    'fish',
    'set -e DOCKER_HOST\nset -e DOCKER_TLS_VERIFY\nset -e DOCKER_CERT_PATH\n# docker-tls env build-1 | source\n',
  ],
  ['cmd', 'SET "DOCKER_HOST="\nSET "DOCKER_TLS_VERIFY="\nSET "DOCKER_CERT_PATH="\n'],
  ['github', 'DOCKER_HOST=\nDOCKER_TLS_VERIFY=\nDOCKER_CERT_PATH=\n'],
  ['json', '{\n  "DOCKER_HOST": null,\n  "DOCKER_TLS_VERIFY": null,\n  "DOCKER_CERT_PATH": null\n}\n'],
];

describe('renderEnvironment', () => {
  it.each(golden)('%s', (shell, variables, text) => {
    expect(renderEnvironment({ shell, variables, usage })).toBe(text);
  });

  it.each(goldenUnset)('%s --unset', (shell, text) => {
    expect(
      renderEnvironment({ shell, variables: plain, unset: true, usage: shell === 'cmd' ? undefined : usage }),
    ).toBe(text);
  });

  it.each(SHELLS)('%s refuses newlines and other control characters, in values and in the command', (shell) => {
    for (const bad of ['a\nb', 'a\rb', 'a\0b', 'a\u001b[0mb', 'a\u2028b']) {
      const variables = { ...plain, DOCKER_CERT_PATH: bad };
      expect(() => renderEnvironment({ shell, variables })).toThrow(
        expect.objectContaining({ code: 'E_ENV_VALUE', exit: 2 }),
      );
      expect(() => renderEnvironment({ shell, variables: plain, usage: bad })).toThrow(
        expect.objectContaining({ code: 'E_ENV_VALUE' }),
      );
    }
  });

  it('cmd refuses a quotation mark, which would end its quotes', () => {
    const variables = { ...plain, DOCKER_CERT_PATH: 'C:\\a" & calc.exe & "' };
    expect(() => renderEnvironment({ shell: 'cmd', variables })).toThrow(
      expect.objectContaining({ code: 'E_ENV_VALUE' }),
    );
  });
});

describe('dockerHost', () => {
  it.each([
    ['build-1.example', 2376, 'tcp://build-1.example:2376'],
    ['::1', 2376, 'tcp://[::1]:2376'],
    ['[2001:db8::7]', 2400, 'tcp://[2001:db8::7]:2400'],
    ['fe80::1%eth0', 2376, 'tcp://[fe80::1%25eth0]:2376'],
  ])('%s', (address, port, host) => {
    expect(dockerHost(address, port)).toBe(host);
  });
});

describe('detectShell', () => {
  const systemPaths =
    'C:\\Program Files\\WindowsPowerShell\\Modules;C:\\Windows\\system32\\WindowsPowerShell\\v1.0\\Modules';
  it.each([
    ['bash', { SHELL: '/bin/bash' }, 'sh'],
    ['zsh', { SHELL: '/usr/bin/zsh' }, 'sh'],
    ['fish', { SHELL: '/opt/homebrew/bin/fish' }, 'fish'],
    ['csh', { SHELL: '/bin/csh' }, 'tcsh'],
    ['tcsh', { SHELL: '/bin/tcsh' }, 'tcsh'],
    ['pwsh as a login shell', { SHELL: '/usr/bin/pwsh' }, 'powershell'],
    ['nothing known', {}, 'sh'],
    ['git bash on Windows', { OS: 'Windows_NT', SHELL: 'C:\\Program Files\\Git\\usr\\bin\\bash.exe' }, 'sh'],
    ['cmd', { OS: 'Windows_NT', PSModulePath: systemPaths }, 'cmd'],
    [
      'PowerShell 5',
      { OS: 'Windows_NT', PSModulePath: `C:\\Users\\a\\Documents\\WindowsPowerShell\\Modules;${systemPaths}` },
      'powershell',
    ],
    [
      'PowerShell 7',
      { OS: 'Windows_NT', PSModulePath: `C:\\Users\\a\\OneDrive\\Dokumente\\PowerShell\\Modules;${systemPaths}` },
      'powershell',
    ],
  ] as const)('%s', (_what, env, shell) => {
    expect(detectShell(env)).toBe(shell);
  });
});

it.each([
  ['/bin/bash', 'eval "$(docker-tls env build-1)"'],
  ['/usr/bin/fish', 'docker-tls env build-1 | source'],
  ['/bin/tcsh', 'eval "`docker-tls env build-1`"'],
  ['/usr/bin/pwsh', '& docker-tls env build-1 | Invoke-Expression'],
])('%s is told how to take them over', (SHELL, wanted) => {
  expect(useOf(detectShell({ SHELL }), usage)).toBe(wanted);
});
