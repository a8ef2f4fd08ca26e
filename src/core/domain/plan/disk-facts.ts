/** Parsers of mounts and free space. */

/** Lines of `PATH OPTIONS`; blanks and the like are octal (proc(5)). */
export function parseMounts(text: string): { path: string; readOnly: boolean }[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [path = '', options = ''] = line.split(' ');
      return {
        path: path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
        readOnly: options.split(',').includes('ro'),
      };
    });
}

/** Parses `df -Pk`. */
export function parseDisk(text: string): { mount: string; freeKb: number }[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns.length >= 6)
    .map((columns) => ({ mount: columns.slice(5).join(' '), freeKb: Number(columns[3]) }));
}

/** Parses `df -Pi`; skips file systems that do not count inodes. */
export function parseInodes(text: string): { mount: string; free: number }[] {
  const counted = text.split('\n').filter((line) => !/^\S+\s+[0-]\s/.test(line));
  return parseDisk(counted.join('\n')).map(({ mount, freeKb }) => ({ mount, free: freeKb }));
}
