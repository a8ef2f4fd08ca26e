/** For `node --import`: the process kills itself before call KILLED_AT of those that change anything in STORE, or says at its end how many there were. */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

let calls = 0;
function wrap(owner, name) {
  const original = owner[name];
  owner[name] = function (...args) {
    if (String(args[0]).startsWith(process.env.STORE) && calls++ === Number(process.env.KILLED_AT))
      process.kill(process.pid, 'SIGKILL');
    return original.apply(this, args);
  };
}
for (const name of ['open', 'link', 'rename', 'rm']) wrap(fs.promises, name);
for (const name of ['writeFileSync', 'mkdirSync', 'renameSync', 'unlinkSync']) wrap(fs, name);
syncBuiltinESMExports();
process.on('exit', () => process.stderr.write(`calls ${calls}`));
