/** Commands to paste: written as `docker-tls …`, said as this person has to type them. */
import { describe, expect, test } from 'vitest';
import { hintPrefix } from '../../src/cli/hint-prefix.ts';

describe.each([
  ['as itself', 'docker-tls', undefined, 'docker-tls'],
  ['with --home', 'docker-tls', '/srv/two words', "docker-tls --home '/srv/two words'"],
  ['as a plugin', 'docker tls', undefined, 'docker tls'],
  ['as a plugin with --home', 'docker --config /c tls', 'x', 'docker --config /c tls --home x'],
] as const)('called %s', (_name, program, home, own) => {
  const words = hintPrefix(program, home);

  test.each([
    ['docker-tls verify build-1', `${own} verify build-1`],
    ['eval "$(docker-tls env build-1)"', `eval "$(${own} env build-1)"`],
    ['if eve is out: docker-tls client revoke eve', `if eve is out: ${own} client revoke eve`],
    ['run docker-tls plan, then docker-tls apply', `run ${own} plan, then ${own} apply`],
    ['then here:        docker-tls client import ann.tar', `then here:        ${own} client import ann.tar`],
  ])('%s', (line, said) => {
    expect(words(line)).toBe(said);
  });

  test.each([
    'where the CA is: docker-tls client sign ann.csr',
    'on the other computer: docker-tls client import ci.tar',
    'on that computer: docker-tls client request ann',
    'apt-get install docker-tls',
    'ls /usr/lib/docker-tls status',
    'docker-tls renews them',
  ])('%s stays', (line) => {
    expect(words(line)).toBe(line);
  });
});

test('a home that the line names already is not named twice', () => {
  const words = hintPrefix('docker tls', '/h');
  expect(words('docker-tls --home /h status')).toBe('docker tls --home /h status');
  expect(words('docker-tls status --home /h')).toBe('docker tls status --home /h');
});
