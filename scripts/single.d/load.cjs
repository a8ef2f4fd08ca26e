// Loader of the single executable's modules, with the code that V8 has kept of them. scripts/single.mjs puts a line after this text that
// starts the program. A module's name has a hash of its source, and its code the same name: V8 itself compares lengths only.
const { getRawAsset } = require('node:sea');
const { Script } = require('node:vm');

const modules = new Map();

// biome-ignore lint/correctness/noUnusedVariables: the line after this text calls it.
function load(name, kept) {
  const known = modules.get(name);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  modules.set(name, module);
  // V8 compiles anew what it refuses.
  const cachedData = kept ? Buffer.from(getRawAsset(`${name}.code`)) : undefined;
  const script = new Script(Buffer.from(getRawAsset(name)).latin1Slice(), { filename: name, cachedData });
  const requireFrom = (id) => (id.startsWith('./') ? load(id.slice(2), kept) : require(id));
  script.runInThisContext()(module.exports, requireFrom, module);
  return module.exports;
}
