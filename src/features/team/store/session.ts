/**
 * Session of a run with a shared store: the newest verified snapshot, opened with the user's keys, and commits on top of it. Rejects
 * content without the signature of an operator, or older than the state seen before on this machine.
 */

import { errnoOf } from '../../../errors/errors.ts';
import type { Message, Snapshot, StoreEngine } from '../engines/engine.ts';
import { type Contents, groupTexts, OPERATORS, sealGroup, touchedGroups } from './contents.ts';
import { ageNote, DEFAULT_DAYS, hasExpired, isAhead } from './freshness.ts';
import { checkSnapshot, commitOf, genuine, requirePinned, requireSame } from './genuine.ts';
import { requireReadable, shortened } from './limits.ts';
import type { Local, SeenState } from './local-copy.ts';
import { contentsOpener } from './open-contents.ts';
import type { NextCommit, Opened } from './opened.ts';
import { foreignKeys, openKeys, readOperators, renderKeys } from './operators.ts';
import { ownSigner } from './own-signer.ts';
import { SEAL_BYTES } from './seal.ts';
import type { SigningKey } from './signatures.ts';
import { fingerprintOf, SIGNERS, type Signers, sameSigners, signersAmong, withSigners } from './signers.ts';
import type { IdentityFile } from './ssh-keys.ts';
import { MANIFEST, readSigned, renderStoreManifest, type Signed, sha256Hex } from './store-manifest.ts';
import * as refusals from './store-refusals.ts';

export type SessionOptions = {
  readonly engine: StoreEngine;
  readonly local: Local;
  /** `user@computer`. */
  readonly who: string;
  /** Required fingerprint of the store's signers, or of an earlier list of them; from the URL. */
  readonly pinned?: string | undefined;
  identities(): Promise<readonly IdentityFile[]>;
  /** Keys of an SSH agent. */
  agentKeys(): Promise<readonly SigningKey[]>;
  note(text: string): void;
  now(): Date;
};

export type Session = ReturnType<typeof openSession>;

/** Maximum age of a snapshot for reuse: a run over many hosts reads for each of them, and a commit on an old one fails anyway. */
const YOUNG_MS = 2000;

export function openSession({ engine, local, who, pinned, identities, agentKeys, note, now }: SessionOptions) {
  let latest: { readonly opened: Opened; readonly at: number } | undefined;
  let noted = false;
  const unwritten = new Set<string>();
  /** Read once: a pipe delivers its content once. */
  let identityFiles: Promise<readonly IdentityFile[]> | undefined;
  const ownIdentities = () => {
    identityFiles ??= identities();
    return identityFiles;
  };
  const { requireSigner, ownKey } = ownSigner({ url: engine.url, identities: ownIdentities, agentKeys, note });
  const contentsOf = contentsOpener(engine.url);
  /** Whether a state that is too old may be read, and whether its age was noted. */
  let anyAge = false;
  let told = false;

  function noteOffline({ offline }: Snapshot): void {
    if (offline === undefined || noted) return;
    noted = true;
    note(`${offline.cause.message}; using the copy fetched ${refusals.ageWords(offline.fetchedAt, now())}`);
  }

  async function open(snapshot: Snapshot, checked: Signed): Promise<Opened> {
    const mine = await ownIdentities();
    const keys = await openKeys(snapshot.files, mine);
    if (keys === undefined) throw refusals.closed(engine.url, mine);
    const operators = readOperators(snapshot.files, keys);
    if (operators === undefined) throw refusals.tampered(engine.url, 'its list of operators does not open');
    // Nobody can sign who is not in the output of operator list.
    if (!sameSigners(signersAmong(operators), checked.signers.at(-1)?.operators ?? []))
      throw refusals.tampered(engine.url, 'its list of operators names others than its signers');
    const foreign = foreignKeys(snapshot.files, operators);
    if (foreign !== undefined)
      throw refusals.tampered(engine.url, `${foreign} is encrypted for others than its operators`);
    const last = { ...commitOf(checked), validDays: checked.manifest.validDays };
    const contents = contentsOf(snapshot.files, keys);
    return {
      snapshot,
      fresh: false,
      sequence: last.sequence,
      last,
      signers: checked.signers,
      keys,
      operators,
      contents,
    };
  }

  function keep(opened: Opened): Opened {
    latest = { opened, at: performance.now() };
    return opened;
  }

  /** A failed write of the local copy never fails the run: the store's content is safe. */
  function here(what: string, write: () => void): void {
    try {
      write();
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      if (!unwritten.has(what))
        note(`${what} could not be written on this computer, and nothing else is missing: ${(error as Error).message}`);
      unwritten.add(what);
    }
  }

  function remember(snapshot: Snapshot, seen: SeenState, anyway = false): void {
    here('what was seen of the store', () => {
      if (local.remember(seen, anyway)) engine.keep?.(snapshot);
    });
  }

  /** Fails for a change too large to be stored, whatever is committed with it. */
  function requireFits(before: Contents, after: Contents): void {
    if (engine.requireFits === undefined) return;
    for (const [at, text] of groupTexts(after, touchedGroups(before, after)))
      engine.requireFits(at, Buffer.byteLength(text) + SEAL_BYTES);
  }

  /** The newest snapshot, or one that was read less than `youngMs` ago. Fails with E_STORE_EXPIRED if even the newest is too old. */
  async function read(youngMs = YOUNG_MS): Promise<Opened> {
    const opened = await newest(youngMs);
    const { last, snapshot } = opened;
    if (last === undefined) return opened;
    if (!anyAge && hasExpired(last, now())) throw refusals.expired(engine.url, last, now(), snapshot.offline?.cause);
    const aged = ageNote(last, now());
    if (aged !== undefined && !told) note(aged);
    told ||= aged !== undefined;
    return opened;
  }

  async function newest(youngMs: number): Promise<Opened> {
    if (latest !== undefined && performance.now() - latest.at < youngMs) return latest.opened;
    // Before the request: another run on this machine may see a newer state during it.
    const before = local.seen();
    const snapshot = await engine.read();
    noteOffline(snapshot);
    if (latest?.opened.snapshot.revision === snapshot.revision) {
      requireSame(engine.url, latest.opened, snapshot);
      return keep({ ...latest.opened, snapshot });
    }
    const checked = await checkSnapshot(engine, snapshot, { before, pinned });
    if (checked === undefined) {
      const contents = new Map();
      return keep({ snapshot, fresh: true, sequence: 0, signers: [], keys: undefined, operators: [], contents });
    }
    const opened = await open(snapshot, checked);
    if (local.seen() === undefined && pinned === undefined)
      note(
        `first use of ${engine.url}, signers ${checked.seen.signers.at(-1)}: compare them with the output of operator list on a colleague's computer`,
      );
    remember(snapshot, checked.seen);
    return keep(opened);
  }

  let asked: Promise<Opened> | undefined;
  let asking: Promise<unknown> = Promise.resolve();

  /** The state after this call instead of a cached one. Many hosts with requests at the same time share the next read. */
  function readNow(): Promise<Opened> {
    asked ??= asking.then(async () => {
      asked = undefined;
      const opened = await read(0);
      if (opened.snapshot.offline !== undefined) throw opened.snapshot.offline.cause;
      return opened;
    });
    asking = asked.catch(() => undefined);
    return asked;
  }

  async function commit(
    base: Opened,
    next: NextCommit,
    { subject, lines }: Pick<Message, 'subject' | 'lines'>,
  ): Promise<Opened> {
    if (base.snapshot.offline !== undefined) throw base.snapshot.offline.cause;
    // Such a commit would expire early for everyone. A refresh and a restoration ask first.
    const asked = next.current !== undefined || next.above !== undefined;
    if (base.last !== undefined && isAhead(base.last, now()) && !asked)
      throw refusals.clockBehind(engine.url, base.last, now());
    const keys = next.keys ?? base.keys;
    const operators = next.operators ?? base.operators;
    const signing = signersAmong(operators);
    const { before: by, me } = await requireSigner({ ...base, keys, operators }, signing);
    if (keys?.ca === undefined) throw refusals.readOnly(engine.url, base.operators);
    const full = { ...keys, ca: keys.ca };
    // New keys reseal every file.
    const touched = next.keys === undefined ? touchedGroups(base.contents, next.contents) : undefined;
    const before = next.keys === undefined ? groupTexts(base.contents, touched) : new Map<string, string>();
    const texts = groupTexts(next.contents, touched);
    const { regained } = next;
    // A restoration keeps nothing of the replaced content: a snapshot does not name all existing files.
    const there = regained === undefined ? base.snapshot.files : new Map<string, Uint8Array>();
    const files = new Map(there);
    for (const at of files.keys()) {
      const ours = at === OPERATORS || at.startsWith('keys/');
      const group = at.slice(0, at.lastIndexOf('/'));
      const gone = (touched === undefined || touched.has(group)) && !texts.has(at);
      if (ours ? next.operators !== undefined || next.keys !== undefined : gone) files.delete(at);
    }
    for (const [at, text] of texts) if (before.get(at) !== text) files.set(at, sealGroup(at, text, full));
    if (next.operators !== undefined || next.keys !== undefined)
      for (const [at, bytes] of await renderKeys(operators, full)) files.set(at, bytes);
    const sequence = Math.max(base.sequence, next.above ?? 0) + 1;
    const signers = await withSigners(base.signers, signing, sequence, by);
    if (signers !== base.signers || !files.has(SIGNERS)) files.set(SIGNERS, Buffer.from(JSON.stringify(signers)));
    const { validDays } = next.current ?? (base.last === undefined ? { validDays: DEFAULT_DAYS } : base.last);
    const about = {
      ...{ sequence, at: now().toISOString(), validDays, by: who, parent: base.snapshot.revision, regained },
      ...{ signers: fingerprintOf(signers.at(-1) as Signers[number]), subject, lines: shortened(lines) },
    };
    for (const [at, bytes] of await renderStoreManifest(files, about, me.key)) files.set(at, bytes);
    requireReadable(engine.url, files, signers);
    // Nobody could read the store after that.
    const signed = readSigned(files);
    if (typeof signed === 'string') throw new Error(`the store ${signed}`);
    const put = new Map([...files].filter(([at, bytes]) => there.get(at) !== bytes));
    const remove = [...there.keys()].filter((at) => !files.has(at));
    const snapshot = await engine.commit(base.snapshot, {
      put,
      remove,
      regained,
      message: { who: `${me.name} (${who})`, subject, lines },
    });
    // Otherwise this machine would remember a state as the newest that it then rejects.
    genuine(engine.url, snapshot);
    const manifest = sha256Hex(files.get(MANIFEST));
    const seen = { sequence, revision: snapshot.revision, manifest, signers: signers.map(fingerprintOf) };
    remember(snapshot, seen, next.above !== undefined);
    const last = { sequence, at: about.at, validDays, by: `${me.name} (${who})` };
    return keep({ snapshot, fresh: false, sequence, last, signers, keys: full, operators, contents: next.contents });
  }

  return {
    url: engine.url,
    engine,
    local,
    who,
    now,
    here,
    requireFits,
    requireSigner,
    ownKey,
    read,
    readNow,
    commit,
    /** Opens an earlier snapshot, without checking for a newer one. */
    async openAt(snapshot: Snapshot): Promise<Opened> {
      return open(snapshot, genuine(engine.url, snapshot));
    },
    /** The newest snapshot, unverified. */
    snapshot: () => engine.read(),
    /** True for a store without commits. Fails if the engine is unreachable. */
    async snapshotIsEmpty(): Promise<boolean> {
      const { revision, offline } = await engine.read();
      if (offline !== undefined) throw offline.cause;
      return revision === '';
    },
    /** From now on this session reads a state of any age. */
    acceptAnyAge(): void {
      anyAge = true;
    },
    requirePinned: (known: readonly string[]) => requirePinned(engine.url, known, pinned),
    check: (snapshot: Snapshot) => checkSnapshot(engine, snapshot, { before: local.seen(), pinned }),
    remember,
    /** The next read contacts the engine; with `read`, only if that is the latest read. */
    forget(read?: Opened): void {
      if (read === undefined || read.snapshot.revision === latest?.opened.snapshot.revision) latest = undefined;
    },
    identities: ownIdentities,
  };
}
