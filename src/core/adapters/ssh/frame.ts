/**
 * The frame around a script: how it travels to a host, and how its answer is separated from everything else that the host prints.
 *
 * One exec carries one command of constant shape (`commandWords`), which every login shell reads alike: its words hold
 * no newline, no `!`, no backslash before a quote and no single quote, so that shellQuote is enough for sh, fish and csh.
 * Script and data travel on stdin only:
 *
 *     [password ⏎] MARK LENGTH ⏎ script[LENGTH] input…
 *
 * and the host answers on stdout and on stderr, each after whatever a login shell, banner or sudo printed before:
 *
 *     …noise… MARK:shell ⏎ …noise… MARK:run ⏎ what the script printed MARK:end STATUS ⏎
 *
 * MARK is random and reaches the host in two halves, so that a shell that prints its own command line cannot forge it.
 * Only `MARK:end` verifies that the script came to its end: without it the connection was lost, whatever the status says.
 * Everything here is pure.
 */

import { cleanShell } from '../../domain/dockerd/clean-environment.ts';

/** How the script becomes root: not at all, by `sudo -n` (never asks), or by `sudo -S` (asks on stderr, reads stdin). */
export type SudoMode = 'plain' | 'never-ask' | 'may-ask';

/** A random mark in its two halves, each of 16 hexadecimal digits. */
export type Mark = { readonly first: string; readonly second: string };

/**
 * What runs as the final user. `$1$2` is the mark. A line of stdin that is not the mark is skipped, never executed: it
 * is a password that sudo did not ask for. The script runs in a subshell, so that its `exit` cannot skip the end mark.
 * Some `head`s (busybox, uutils) read more than they print, which would swallow the script's input: those are found
 * out with three bytes and replaced, for the bootstrap and the script alike, by a byte-wise dd. That takes five processes, so it is
 * left out where nothing follows the script (`$4` is `alone`; sudo passes it on to no one).
 */
const BOOTSTRAP = [
  'cd /; umask 022',
  // What a login may use of memory is nothing to dockerd, which is asked from here about its configuration.
  'if [ -O / ]; then ulimit -v unlimited; ulimit -d unlimited; fi',
  'if [ "$4" = alone ] || [ "$(echo ab | { head -c 1 && cat; } 2>/dev/null)" = ab ]; then :; else head() { if [ "$#$1" = 2-c ]; then dd bs=1 count="$2" 2>/dev/null; else command head "$@"; fi; }; fi',
  'echo "$1$2:run"; echo "$1$2:run" >&2',
  'while :; do IFS=" " read -r mark length || exit 98; if [ "$mark" = "$1$2" ]; then break; fi; done',
  '( set --; eval "$(head -c "$length")" ); code=$?; echo "$1$2:end $code"; echo "$1$2:end $code" >&2',
].join('; ');

/** What sudo starts: it has put its own environment together (PAM's pam_env reads /etc/environment), which the bootstrap is not to see. */
const ROOT = `exec ${cleanShell({ OPERATOR: '"$4"' }).join(' ')} -c "$1" sh "$2" "$3"`;

/**
 * What the login shell starts: decides who runs the bootstrap (`$1`), `$2` for root, and says how far it came. `$5` is the SudoMode. root by name:
 * sudoers may have another account as default. The prompt names whose password sudo wants (rootpw and targetpw of sudoers(5)).
 */
const LAUNCHER = [
  'B="$1"; R="$2"; shift 2; echo "$1$2:shell"; echo "$1$2:shell" >&2',
  'if [ "$3" = plain ] || [ "$(id -u)" = 0 ]; then eval "$B"; exit 0; fi',
  'if [ -n "$(command -v sudo)" ]; then :; else while read -r l; do echo "$l"; done </etc/os-release; echo "$1$2:nosudo"; exit 0; fi',
  'if [ "$3" = never-ask ]; then exec sudo -n -u root -- /bin/sh -c "$R" sh "$B" "$1" "$2" "$OPERATOR"; fi',
  'exec sudo -S -u root -p "[%p] $1$2:ask" -- /bin/sh -c "$R" sh "$B" "$1" "$2" "$OPERATOR"',
].join('; ');

/**
 * The words of the command that one exec runs. Quote each by shellQuote and join them for a login shell. Scripts find the name of the
 * operator's account on the host in OPERATOR. `alone`: no input follows the script.
 */
export function commandWords(mark: Mark, mode: SudoMode, operator: string, alone = false): readonly string[] {
  const words = [LAUNCHER, 'sh', BOOTSTRAP, ROOT, mark.first, mark.second, mode, alone ? 'alone' : 'more'];
  return [...cleanShell({ OPERATOR: operator }), '-c', ...words];
}

/**
 * What goes to stdin before the script's own input. The script is wrapped in one compound command, so that a script that
 * arrives in part (the connection broke) is a syntax error and not half a deed. Throws a TypeError when the script holds a NUL.
 */
export function requestHead(mark: Mark, script: string): Buffer {
  if (script.includes('\0')) throw new TypeError('a script cannot hold a NUL byte');
  const text = Buffer.from(`{ :\n${script}\n}\n`, 'utf8');
  return Buffer.concat([Buffer.from(`${mark.first}${mark.second} ${text.length}\n`, 'latin1'), text]);
}

export type FrameLimits = {
  /** Bytes that a host may print before the mark. */
  readonly noiseBytes: number;
  /** Bytes that a script may print, on stdout and on stderr each. */
  readonly outputBytes: number;
};

const FRAME_LIMITS: FrameLimits = { noiseBytes: 1024 * 1024, outputBytes: 64 * 1024 * 1024 };

/** How far the host has come, as verified by its marks. */
export type FrameStage = 'before' | 'shell' | 'no-sudo' | 'running' | 'ended';

/** Reads one of the two streams of an exec. Push chunks; look at the fields. */
export class FrameReader {
  stage: FrameStage = 'before';
  /** The script's own status, once `ended`. */
  status: number | undefined;
  /** How often sudo asked for the password on this stream. */
  requested = 0;
  /** Whose it asked for last, as sudo has put it into our prompt. */
  whose: string | undefined;
  /** Set when a limit was passed; the exec has to be given up. */
  overflow: 'noise' | 'output' | undefined;
  readonly #mark: Buffer;
  readonly #limits: FrameLimits;
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #noise: Buffer[] = [];
  readonly #output: Buffer[] = [];
  #noiseBytes = 0;
  #outputBytes = 0;
  #rest: Buffer = Buffer.alloc(0);
  #line: Buffer = Buffer.alloc(0);

  constructor(mark: Mark, onLine?: (line: string) => void, limits: FrameLimits = FRAME_LIMITS) {
    this.#mark = Buffer.from(`${mark.first}${mark.second}:`, 'latin1');
    this.#limits = limits;
    this.#onLine = onLine;
  }

  output(): Buffer {
    return Buffer.concat(this.#output);
  }

  /** The last kilobytes of what was printed before the script ran (banners, sudo's words), without our marks. */
  noise(): string {
    const text = Buffer.concat([...this.#noise, ...(this.stage === 'running' ? [] : [this.#rest])]).toString('utf8');
    return text.replace(new RegExp(`${this.#mark.toString('latin1')}[a-z]*\\n?`, 'g'), '').slice(-8192);
  }

  push(chunk: Buffer): void {
    if (this.stage === 'ended' || this.overflow !== undefined) return;
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#step()) {}
    if (this.#noiseBytes > this.#limits.noiseBytes) this.overflow = 'noise';
    if (this.#outputBytes > this.#limits.outputBytes) this.overflow = 'output';
  }

  /** Consumes up to the next mark. False when more bytes are needed. */
  #step(): boolean {
    if (this.stage === 'ended') return false;
    const at = this.#rest.indexOf(this.#mark);
    if (at < 0) {
      // Keep what may be the beginning of a mark.
      const keep = partialSuffix(this.#rest, this.#mark);
      this.#take(this.#rest.length - keep);
      return false;
    }
    this.#take(at);
    const word = /^([a-z]+)( \d+)?(\n)?/.exec(
      this.#rest.subarray(this.#mark.length, this.#mark.length + 32).toString('latin1'),
    );
    // sudo may print what it likes behind its prompt; the other marks end their line.
    if (word?.[1]?.startsWith('ask') && this.stage !== 'running') {
      this.requested += 1;
      this.#readPrompt();
      this.#drop(this.#mark.length + 3);
      return true;
    }
    if (word?.[3] === undefined) {
      const undecided =
        this.#rest.length < this.#mark.length + 32 && isMarkBeginning(this.#rest.subarray(this.#mark.length));
      if (undecided) return false;
      this.#take(this.#mark.length);
      return true;
    }
    if (this.stage === 'running') {
      if (word[1] !== 'end' || word[2] === undefined) {
        this.#take(this.#mark.length);
        return true;
      }
      this.status = Number(word[2]);
      this.#flushLine();
      this.stage = 'ended';
    } else if (word[1] === 'run') this.stage = 'running';
    else if (word[1] === 'nosudo') this.stage = 'no-sudo';
    else if (word[1] === 'shell') this.stage = 'shell';
    this.#drop(this.#mark.length + word[0].length);
    return true;
  }

  /** Takes our prompt out of the noise. A sudo that does not know %p leaves it as it is. */
  #readPrompt(): void {
    const noise = Buffer.concat(this.#noise.splice(0)).toString('latin1');
    const prompt = / ?\[([^[\]\n]{1,256})\] $/.exec(noise);
    this.whose = prompt?.[1] === '%p' ? undefined : prompt?.[1];
    this.#noise.push(Buffer.from(prompt === null ? noise : noise.slice(0, prompt.index), 'latin1'));
  }

  #drop(bytes: number): void {
    this.#rest = this.#rest.subarray(bytes);
  }

  #take(bytes: number): void {
    if (bytes === 0) return;
    const taken = this.#rest.subarray(0, bytes);
    this.#drop(bytes);
    if (this.stage !== 'running') {
      this.#noise.push(taken);
      this.#noiseBytes += taken.length;
      return;
    }
    this.#output.push(taken);
    this.#outputBytes += taken.length;
    if (this.#onLine !== undefined) this.#lines(taken, this.#onLine);
  }

  #lines(bytes: Buffer, onLine: (line: string) => void): void {
    let text = this.#line.length === 0 ? bytes : Buffer.concat([this.#line, bytes]);
    for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10)) {
      onLine(text.subarray(0, end).toString('utf8'));
      text = text.subarray(end + 1);
    }
    this.#line = text;
  }

  #flushLine(): void {
    if (this.#line.length > 0) this.#onLine?.(this.#line.toString('utf8'));
    this.#line = Buffer.alloc(0);
  }
}

/** The longest end of `bytes` that is a true beginning of `mark`. */
function partialSuffix(bytes: Buffer, mark: Buffer): number {
  const first = mark.readUInt8();
  for (
    let at = bytes.indexOf(first, Math.max(0, bytes.length - mark.length + 1));
    at >= 0;
    at = bytes.indexOf(first, at + 1)
  )
    if (bytes.compare(mark, 0, bytes.length - at, at) === 0) return bytes.length - at;
  return 0;
}

/** The bytes behind a mark may still become `shell⏎`, `end 0⏎`, `ask` and so on. */
function isMarkBeginning(bytes: Buffer): boolean {
  return /^[a-z]*( \d*)?$/.test(bytes.toString('latin1'));
}
