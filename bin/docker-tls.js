#!/usr/bin/env node
// The start of the program: checks Node's version, answers what has to be fast without loading the rest, and ends the
// process with the status that main gives. Plain JavaScript that Node 14 can parse, so that old ones get a clear word.
import { readFileSync } from 'node:fs';

const REQUIRED = [20, 18];
const argv = process.argv.slice(2);

function isTooOld() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major < REQUIRED[0] || (major === REQUIRED[0] && minor < REQUIRED[1]);
}

function readVersion() {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}

// A reader that goes away (`… | head -1`) or a disk that fills is no reason to stop in the middle of a change; `end` says what
// was lost.
let lost;
process.stdout.on('error', ({ code }) => {
  lost ??= code;
});
process.stderr.on('error', () => {});

/** Pipes may still hold what was written last: leave only when they are empty. */
function end(status) {
  process.exitCode = status;
  process.stdout.write('', () => setImmediate(leave, status));
}

function leave(status) {
  const failed = lost !== undefined && lost !== 'EPIPE' && lost !== 'ERR_STREAM_DESTROYED';
  if (failed) process.stderr.write(`error[E_OUTPUT]: what was to be printed could not be written (${lost})\n`);
  process.stderr.write('', () => process.exit(failed ? status || 1 : status));
}

async function start() {
  if (isTooOld()) {
    process.stderr.write(
      `error[E_NODE_VERSION]: docker-tls needs Node.js ${REQUIRED.join('.')} or later; this is ${process.version} (${process.execPath})\n` +
        '  hint: https://nodejs.org/en/download\n',
    );
    end(2);
  } else if (argv[0] === 'docker-cli-plugin-metadata') {
    // https://github.com/docker/cli/blob/master/cli-plugins/metadata/metadata.go
    const metadata = {
      SchemaVersion: '0.1.0',
      Vendor: 'docker-tls',
      Version: readVersion(),
      ShortDescription: 'TLS for remote Docker daemons',
    };
    process.stdout.write(`${JSON.stringify(metadata)}\n`);
    end(0);
  } else if (argv[argv[0] === 'tls' ? 1 : 0] === 'docker-cli-plugin-hooks') {
    // Docker waits for this after its commands: no library is loaded. The features say which commands there are.
    await import('../dist/features.js');
    const { hookAnswer, parentArguments } = await import('../dist/notice.js');
    process.stdout.write(hookAnswer(process.env, parentArguments(process.env), new Date()));
    end(0);
  } else if (argv[0] === '__answer') {
    const { answerSsh } = await import('../dist/answer.js');
    end(await answerSsh(argv.slice(1)));
  } else if (argv[0] === '__complete') {
    const { answerShell } = await import('../dist/complete.js');
    process.stdout.write(await answerShell(argv.slice(1)));
    end(0);
  } else if (
    ['--version', '-V', '-v'].includes(argv[argv[0] === 'tls' ? 1 : 0]) &&
    argv.length === (argv[0] === 'tls' ? 2 : 1)
  ) {
    const { node, openssl } = process.versions;
    process.stdout.write(`docker-tls ${readVersion()} (Node.js ${node}, OpenSSL ${openssl})\n`);
    end(0);
  } else if (argv[argv[0] === 'tls' ? 1 : 0] === 'env' && (await import('../dist/env-at-once.js')).printAtOnce(argv)) {
    end(0);
  } else {
    // No compile cache (node:module enableCompileCache): its default place is the shared temporary directory, and what runs
    // here handles private keys.
    const { main } = await import('../dist/main.js');
    end(await main(argv));
  }
}

await start();
