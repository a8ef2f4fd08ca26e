// Writes the code that V8 makes of each module as NAME.code next to it; or reads it again as the executable does. A function is compiled when it
// is first called: code of all functions saves a run nothing and takes 5 to 12 MB.
// The flags of this make the bytes the same every time. V8 takes code for another version if it was made with other flags, so the place that
// names them gets those of a plain run.
//
// usage: NODE --hash-seed=1 keep.cjs DIRECTORY FLAGS      FLAGS: bytes 12 to 15 of what a plain run writes
//        NODE keep.cjs DIRECTORY                                    fails if V8 refuses one
'use strict';
const { readFileSync, readdirSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');

const [directory, flags] = process.argv.slice(2);
for (const filename of readdirSync(directory).filter((name) => name.endsWith('.js'))) {
  const file = join(directory, filename);
  const source = readFileSync(file, 'latin1');
  if (flags === undefined) {
    const { cachedDataRejected } = new Script(source, { filename, cachedData: readFileSync(`${file}.code`) });
    if (cachedDataRejected) throw new Error(`V8 refuses ${filename}.code`);
  } else {
    const code = new Script(source, { filename }).createCachedData();
    code.write(flags, 12, 'hex');
    writeFileSync(`${file}.code`, code);
  }
}
