// Runs the modules of the single executable as its users do, and writes the code that V8 has made of each by then, as NAME.code next to it.
// Functions that did not run are compiled when they do. The host is a recording: it is planned, and a setup of it fails at the first step.
// usage: NODE warm.cjs DIRECTORY      DIRECTORY: the modules; Node is the one of the executable
'use strict';
const { createHash } = require('node:crypto');
const { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const ssh2 = require('ssh2');
const loader = require('./load.cjs');

const [directory] = process.argv.slice(2);
const facts = readFileSync(join(__dirname, '../../test/core/golden/plan/trixie-fresh.facts'));
/** When it was recorded. */
const now = new Date(Number(/\n(\d+)\.\d+\n\S+ clock\n/.exec(facts.toString('latin1'))[1]) * 1000);
const scripts = new Map();
const load = loader(
  (name) => readFileSync(join(directory, name)),
  false,
  (name, script) => scripts.set(name, script),
);
const names = readdirSync(directory).filter((name) => name.endsWith('.js'));
const moduleNamed = (start) =>
  load(names.find((name) => name.startsWith(`${start}-`) && name.length === start.length + 12));
const home = mkdtempSync(join(tmpdir(), 'docker-tls-warm-'));

/** An SSH server whose host answers every script with its facts, in the frame of src/core/adapters/ssh/frame.ts. */
function serve(hostKey) {
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) =>
      context.method === 'publickey' ? context.accept() : context.reject(['publickey']),
    );
    client.on('session', (accept) =>
      accept().on('exec', (acceptExec, _, { command }) => {
        const stream = acceptExec();
        stream.on('error', () => {});
        stream.resume();
        const mark = command
          .match(/[0-9a-f]{16}/g)
          .slice(-2)
          .join('');
        stream.stderr.write(`${mark}:shell\n${mark}:run\n${mark}:end 0\n`);
        stream.write(`${mark}:shell\n${mark}:run\n`);
        stream.write(facts);
        stream.write(`${mark}:end 0\n`);
        stream.exit(0);
        stream.end();
      }),
    );
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
}

async function run(argv, mayFail) {
  let said = '';
  const io = { outIsTerminal: false, errIsTerminal: false, inIsTerminal: false, columns: 80, colour: false };
  const text = (part) => {
    said += part;
  };
  const { main } = moduleNamed('main');
  const signal = new AbortController().signal;
  const status = await main(argv, {
    env: { HOME: home },
    cwd: home,
    now: () => now,
    signal,
    io: { ...io, out: text, err: text },
  });
  if (status !== 0 && !mayFail) throw new Error(`docker-tls ${argv.join(' ')}: ${status}\n${said}`);
}

async function warm() {
  const pair = () => ssh2.utils.generateKeyPairSync('ed25519');
  const [key, hostKey] = [pair(), pair()];
  writeFileSync(join(home, 'key'), key.private, { mode: 0o600 });
  const blob = ssh2.utils.parseKey(hostKey.private).getPublicSSH();
  const pin = `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
  const host = [`root@127.0.0.1:${await serve(hostKey.private)}`, '-i', join(home, 'key'), '--host-key', pin];
  await run(['setup', '--help']);
  await run(['version']);
  await run(['ca', 'create', '--no-ca-passphrase']);
  await run(['client', 'add', 'laptop', '--yes']);
  await run(['status', '--offline']);
  await run(['env', '--unset', '--shell', 'sh']);
  await run(['plan', ...host]);
  await run(['setup', ...host, '--yes', '--json'], true);
  const { answerShell } = moduleNamed('complete');
  for (const words of [['rot'], ['env', '--c'], ['env', 'h'], ['env', '--shell', '']]) await answerShell(words);
  moduleNamed('env-at-once').printAtOnce(['env', 'h7', '--shell', 'sh', '--home', home]);
  // start would start the program, and a thread is none here.
  for (const name of names) if (!/^(start|thread)-/.test(name)) load(name);
}

warm()
  .then(() => {
    const { Script } = require('node:vm');
    for (const name of names) {
      const script = scripts.get(name) ?? new Script(readFileSync(join(directory, name), 'latin1'), { filename: name });
      writeFileSync(join(directory, `${name}.code`), script.createCachedData());
    }
  })
  .catch((error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  })
  .finally(() => {
    rmSync(home, { recursive: true, force: true });
    process.exit();
  });
