/** Parser of the sections `paths`, `attributes`, `contents` and `modes` of src/core/host/facts/paths.sh. */

/** State of a path. `mode` is octal text such as `644`, `owner` is `uid:gid`. */
export type PathState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'file'; readonly mode: string; readonly owner: string; readonly content: string }
  | { readonly kind: 'link'; readonly to: string }
  /** `what`: in words, such as `a FIFO`. */
  | { readonly kind: 'other'; readonly what: string };

const TYPES: Readonly<Record<string, string>> = {
  f: 'a very large file',
  u: 'a file that cannot be read',
  d: 'a directory',
  p: 'a FIFO',
  s: 'a socket',
  b: 'a device',
  c: 'a device',
};

/** Larger files are not settings files, and the script omits their content. */
const LARGEST = 1_048_576;

/**
 * State of every requested path, from three sections: the paths, one per line; `TYPE MODE UID:GID SIZE`, path and link target of the
 * existing ones, each terminated by NUL; and the concatenated contents of the files. Undefined if the contents do not match the listed
 * sizes: a file changed or became unreadable in between. `ownerOf` maps owners.
 */
export function parseHostFiles(
  paths: string,
  attributes: Buffer,
  contents: Buffer,
  ownerOf = (owner: string): string => owner,
): ReadonlyMap<string, PathState> | undefined {
  const files = new Map<string, PathState>();
  // The kernel's files have content but no size: the script skips them.
  const none = (path: string): PathState =>
    /^\/(?:proc|sys)\//.test(path) ? { kind: 'other', what: "a file of the kernel's" } : { kind: 'absent' };
  for (const path of paths.split('\n')) if (path !== '') files.set(path, none(path));
  let start = 0;
  for (const [head = '', path = '', to = ''] of records(attributes, 3)) {
    const [type = '', mode = '', owner = '', size] = head.split(' ');
    if (type === 'l') files.set(path, { kind: 'link', to });
    else if (type !== 'f' || Number(size) > LARGEST)
      files.set(path, { kind: 'other', what: TYPES[type] ?? 'no regular file' });
    else {
      const end = start + Number(size);
      files.set(path, { kind: 'file', mode, owner: ownerOf(owner), content: contents.toString('utf8', start, end) });
      start = end;
    }
  }
  return start === contents.length ? files : undefined;
}

/** Mode and owner, such as `700 0:0`, by path; links are not followed or listed. Input: `TYPE MODE UID:GID`, NUL, path, NUL. */
export function parseModes(section: Buffer, ownerOf = (owner: string): string => owner): ReadonlyMap<string, string> {
  return new Map(
    records(section, 2)
      .filter(([head]) => !head?.startsWith('l '))
      .map(([head = '', path = '']) => {
        const [mode, owner = ''] = head.slice(2).split(' ');
        return [path, `${mode} ${ownerOf(owner)}`];
      }),
  );
}

function records(section: Buffer, width: number): string[][] {
  const fields = section.toString('utf8').split('\0');
  return Array.from({ length: Math.floor(fields.length / width) }, (_, index) =>
    fields.slice(index * width, (index + 1) * width),
  );
}
