// Loader of the single executable's modules, with the code that V8 has kept of them. scripts/single.mjs puts a line after this text that
// starts the program, or a thread. A module's name has a hash of its source, and its code the same name: V8 itself compares lengths only.
'use strict';
const { Script } = require('node:vm');

/** `asset` gives a file as a Buffer, `seen` gets each script. V8 compiles anew what it refuses. */
function loader(asset, kept, seen) {
  const modules = new Map();
  function load(name) {
    const known = modules.get(name);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    modules.set(name, module);
    const cachedData = kept ? asset(`${name}.code`) : undefined;
    const script = new Script(asset(name).latin1Slice(), { filename: name, cachedData });
    seen?.(name, script);
    script.runInThisContext()(module.exports, (id) => (id.startsWith('./') ? load(id.slice(2)) : require(id)), module);
    return module.exports;
  }
  return load;
}
module.exports = loader;
