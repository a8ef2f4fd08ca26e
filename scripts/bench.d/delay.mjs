// A TCP proxy, in a process of its own since the benchmark waits for its children, that holds every piece back for a while, and counts round
// trips: it prints its port, then `.` whenever a client speaks that has heard the host since it last spoke.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { pipeline, Transform } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** Starts the proxy to `address`:`port`, `delayMs` each way; its port is on 127.0.0.1. `turns()`: round trips until now. */
export async function startDelay(address, port, delayMs) {
  const child = spawn('node', [fileURLToPath(import.meta.url), address, String(port), String(delayMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  let turns = 0;
  child.stdout.on('data', (dots) => {
    turns += dots.length;
  });
  return { port: Number(line), turns: () => turns, stop: () => child.kill() };
}

function held(delayMs) {
  // Each piece leaves delayMs after it came, so pieces that came together leave together.
  let last = Promise.resolve();
  return new Transform({
    highWaterMark: 1 << 20,
    transform(chunk, _encoding, done) {
      const due = performance.now() + delayMs;
      last = last.then(async () => {
        await new Promise((wake) => setTimeout(wake, Math.max(0, due - performance.now())));
        this.push(chunk);
      });
      done();
    },
    flush(done) {
      last.then(() => done(), done);
    },
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [address, port, delayMs] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
  const server = createServer({ noDelay: true }, (inner) => {
    const outer = connect({ host: address, port, noDelay: true });
    const toClient = held(delayMs);
    let heard = true;
    inner.on('data', () => {
      if (heard) process.stdout.write('.');
      heard = false;
    });
    toClient.on('data', () => {
      heard = true;
    });
    pipeline(inner, held(delayMs), outer, () => {});
    pipeline(outer, toClient, inner, () => {});
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
}
