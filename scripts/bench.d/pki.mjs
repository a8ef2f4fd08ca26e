#!/usr/bin/env node
// Measures the PKI against openssl and mkcert: how often our time goes into theirs. Every side is a whole program that starts,
// makes its keys and certificates, and writes them to files, in memory where there is /dev/shm: disks are not the question.
// Usage: node scripts/bench.d/pki.mjs [--json]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLIENTS = 1000;
/** openssl is timed over so many clients, and reckoned up to CLIENTS. */
const SAMPLE = 50;
/** Three certificates: RSA keys are a matter of luck, so the median of so many runs counts. */
const ROUNDS = 7;
/** Many certificates: luck evens out and other work disturbs, so the best of so many runs counts, on both sides. */
const LONG_ROUNDS = 3;
const P256 = 'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256';
const MKCERT =
  'mkcert -ecdsa -cert-file s.pem -key-file s.key localhost 127.0.0.1; mkcert -ecdsa -client -cert-file c.pem -key-file c.key laptop';

/** https://docs.docker.com/engine/security/protect-access/, with this way of making keys. */
function dockerRecipe(keys) {
  return `
${keys} > ca-key.pem
openssl req -new -x509 -days $DAYS -key ca-key.pem -sha256 -out ca.pem -subj /CN=ca
${keys} > server-key.pem
openssl req -subj /CN=localhost -sha256 -new -key server-key.pem -out server.csr
printf 'subjectAltName = DNS:localhost,IP:127.0.0.1\nextendedKeyUsage = serverAuth\n' > server.cnf
openssl x509 -req -days $DAYS -sha256 -in server.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -out server-cert.pem -extfile server.cnf
${keys} > key.pem
openssl req -subj /CN=client -new -key key.pem -out client.csr
printf 'extendedKeyUsage = clientAuth\n' > client.cnf
openssl x509 -req -days $DAYS -sha256 -in client.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -out cert.pem -extfile client.cnf
`;
}

/** A client's certificate, as the recipe makes it: key, request, signature. */
function leafOf(ca) {
  return `
${P256} > key-$i.pem
openssl req -subj /CN=client-$i -new -key key-$i.pem -out $i.csr
openssl x509 -req -days $DAYS -sha256 -in $i.csr -CA ${ca}.pem -CAkey ${ca}-key.pem -CAcreateserial -out cert-$i.pem -extfile client.cnf
`;
}

const CLIENT_CA = `
${P256} > cca-key.pem
openssl req -subj /CN=client-ca-$i -new -key cca-key.pem -out cca.csr
openssl x509 -req -days $DAYS -sha256 -in cca.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -out cca.pem -extfile ca.cnf
`;

function opensslLoop(body) {
  return `
${P256} > ca-key.pem
openssl req -new -x509 -days $DAYS -key ca-key.pem -out ca.pem -subj /CN=ca
printf 'extendedKeyUsage = clientAuth\n' > client.cnf
printf 'basicConstraints = critical,CA:true,pathlen:0\nkeyUsage = critical,keyCertSign\n' > ca.cnf
i=0; while [ $i -lt ${SAMPLE} ]; do i=$((i + 1)); ${body} done
`;
}

const OURS = `
import { writeFileSync } from 'node:fs';
import { issueCa, issueClient, issueClientAuthority, issueServer } from '${ROOT}src/core/domain/pki/certificate.ts';
import { parseSan } from '${ROOT}src/core/domain/pki/san.ts';
const [what, count] = process.argv.slice(2);
const now = new Date();
function save(name: string, { cert, key }: Awaited<ReturnType<typeof issueCa>> | Awaited<ReturnType<typeof issueClient>>): void {
  writeFileSync(name + '-cert.pem', cert, { mode: 0o444 });
  writeFileSync(name + '-key.pem', (key as { reveal(): Buffer }).reveal(), { mode: 0o400 });
}
const ca = await issueCa({ name: 'bench', days: 365, now });
save('ca', ca);
if (what === 'three') {
  save('server', await issueServer({ ca, sans: ['localhost', '127.0.0.1'].map(parseSan), days: 365, now }));
  save('client', await issueClient({ authority: ca, name: 'client', days: 365, now }));
}
for (let i = 0; i < Number(count ?? 0); i += 1) {
  let authority = ca;
  if (what === 'clients') {
    authority = await issueClientAuthority({ ca, clientName: 'client-' + i, days: 365, now });
    save('client-ca-' + i, authority);
  }
  save('client-' + i, await issueClient({ authority, name: 'client-' + i, days: 365, now }));
}
`;

const json = process.argv.includes('--json');
const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'docker-tls-bench-'));
const say = (text) => process.stderr.write(`${text}\n`);

try {
  const ours = await bundleOurs();
  say('CA, server and client certificate…');
  const three = {
    ours: median(() => time('node', [ours, 'three'])),
    opensslRsa4096: median(() => time('sh', ['-ec', dockerRecipe('openssl genrsa 4096')])),
    opensslP256: median(() => time('sh', ['-ec', dockerRecipe(P256)])),
    mkcert: has('mkcert') ? median(() => time('sh', ['-ec', MKCERT])) : undefined,
  };
  say(`${CLIENTS} client certificates…`);
  const scale = CLIENTS / SAMPLE;
  const many = {
    ours: best(() => time('node', [ours, 'leaves', String(CLIENTS)])),
    oursWithOwnCas: best(() => time('node', [ours, 'clients', String(CLIENTS)])),
    openssl: best(() => time('sh', ['-ec', opensslLoop(leafOf('ca'))])) * scale,
    opensslWithOwnCas: best(() => time('sh', ['-ec', opensslLoop(CLIENT_CA + leafOf('cca'))])) * scale,
  };
  const rows = [
    ["three certificates against openssl, RSA-4096 (Docker's own recipe)", three.ours, three.opensslRsa4096, 10],
    ['three certificates against openssl, P-256', three.ours, three.opensslP256],
    ['three certificates against mkcert', three.ours, three.mkcert],
    [`${CLIENTS} clients against openssl in a loop, P-256`, many.ours, many.openssl, 50],
    [
      `${CLIENTS} clients, each with its own CA, against the same with openssl`,
      many.oursWithOwnCas,
      many.opensslWithOwnCas,
      50,
    ],
  ].map(([what, oursMs, theirsMs, aim]) => ({
    what,
    oursMs: Math.round(oursMs),
    ...(theirsMs === undefined
      ? {}
      : { theirsMs: Math.round(theirsMs), ratio: Number((theirsMs / oursMs).toFixed(1)) }),
    ...(aim === undefined ? {} : { aim }),
  }));
  if (json)
    process.stdout.write(
      `${JSON.stringify({ pki: rows, clientsPerSecond: Math.round((CLIENTS * 1000) / many.ours) })}\n`,
    );
  else print(rows, Math.round((CLIENTS * 1000) / many.ours));
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function print(rows, perSecond) {
  for (const { what, oursMs, theirsMs, ratio, aim } of rows) {
    const result = ratio === undefined ? 'not installed' : `${theirsMs} ms, ${ratio} times ours`;
    process.stdout.write(`${what}: ${result} (${oursMs} ms)${aim === undefined ? '' : `; aim: at least ${aim}`}\n`);
  }
  process.stdout.write(`client certificates per second, start of the program included: ${perSecond}\n`);
}

function has(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** Milliseconds that a program takes; it runs in a fresh directory. */
function time(program, args) {
  const cwd = mkdtempSync(join(directory, 'run-'));
  const start = performance.now();
  const { status, stderr } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, CAROOT: cwd, DAYS: '365' },
  });
  const took = performance.now() - start;
  rmSync(cwd, { recursive: true });
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
  return took;
}

function median(measure) {
  const times = Array.from({ length: ROUNDS }, measure).sort((a, b) => a - b);
  return times[Math.floor(ROUNDS / 2)];
}

function best(measure) {
  return Math.min(...Array.from({ length: LONG_ROUNDS }, measure));
}

/** Our own code as a program, bundled as the CLI is, so that its start is in the time. */
async function bundleOurs() {
  const entry = join(directory, 'ours.ts');
  const outfile = join(directory, 'ours.mjs');
  writeFileSync(entry, OURS);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minifySyntax: true,
    nodePaths: [join(ROOT, 'node_modules')],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  return outfile;
}
