/** Our part of the arguments with which the docker CLI calls its plugin. */

import { expect, test } from 'vitest';
import { readCall } from '../../../src/cli/plugin-call.ts';

const PLUGIN = { DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: '/usr/bin/docker', DOCKER_CONFIG: '/own' };

test.each<[string, string[], string[]]>([
  ['nothing in front', ['tls', 'status'], ['status']],
  ['a switch', ['-D', 'tls', 'status'], ['status']],
  ['a switch with a value', ['--tls=false', '--tlsverify', 'tls', 'status'], ['status']],
  ['values apart', ['--context', 'tls', '-H', 'tls', '-l', 'debug', 'tls', 'status'], ['status']],
  ['values with an equals sign', ['--log-level=debug', '--host=tcp://a', '-H=tcp://b', 'tls', 'status'], ['status']],
  ['letters together', ['-Dctls', '-Dl', 'debug', 'tls', 'tls'], ['tls']],
  ['help', ['-D', 'help', 'tls', 'env'], ['help', 'env']],
  ['options of ours stay', ['-D', 'tls', '-v', 'status', '--json'], ['-v', 'status', '--json']],
  ['completion', ['__complete', 'tls', 'st'], ['__complete', 'tls', 'st']],
])('%s', (_, argv, words) => {
  expect(readCall(argv, PLUGIN)).toMatchObject({ words, env: PLUGIN });
});

test.each([
  [['--config', '/other dir', 'tls', 'status']],
  [['--config=/first', '-D', '--config=/other dir', 'tls', 'status']],
])('%j: the config directory counts for the run, and in commands to paste', (argv) => {
  expect(readCall(argv, PLUGIN)).toEqual({
    words: ['status'],
    env: { ...PLUGIN, DOCKER_CONFIG: '/other dir' },
    program: "docker --config '/other dir' tls",
    docker: "docker --config '/other dir'",
  });
});

test("called by itself, docker's options are none of ours", () => {
  const env = {};
  expect(readCall(['-D', 'tls', 'status'], env)).toMatchObject({
    words: ['-D', 'tls', 'status'],
    program: 'docker-tls',
  });
  expect(readCall(['status'], env)).toEqual({ words: ['status'], env, program: 'docker-tls', docker: 'docker' });
});
