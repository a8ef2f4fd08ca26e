/** Kinds of hosts: how a service manager or an engine starts the daemon, and as whom. engine/loaded-kinds.ts loads them. */

import type { Places } from '../domain/dockerd/paths.ts';
import type { KindName } from '../domain/plan/by-kind.ts';
import type { KindFiles } from '../domain/plan/daemon-files.ts';
import type { StartReader } from '../domain/plan/daemon-start.ts';
import type { HostKind } from '../domain/plan/host-kind.ts';
import type { ServiceChecks } from '../domain/plan/preflight-service.ts';
import type { StartCommand } from '../domain/plan/validation.ts';
import type { SshSpec } from '../domain/settings.ts';
import type { HostSession } from '../runtime.ts';
import { seam } from './seam.ts';

/** A kind. What is absent is as with systemd. */
export type KindOfHost = {
  readonly name: KindName;
  /** `places`: those of the daemon's files, if the facts have found some of their own. */
  about(places: Places): HostKind;
  /** The daemon's start command. */
  readonly start?: StartReader;
  readonly files?: KindFiles;
  /** The command with which dockerd is asked whether it would start with its new configuration. */
  readonly command?: StartCommand;
  /** Obstacles to a change. */
  readonly checks?: ServiceChecks;
};

export type HostKinds = {
  readonly kinds: readonly KindOfHost[];
  /**
   * Modules of the facts script. For each kind they have a function `find_NAME`, which starts no process on a host of another kind. It succeeds
   * on a host of its kind, and sets what differs there (src/core/host/facts/service.sh).
   */
  readonly facts: readonly string[];
  readonly own?: OwnDaemons;
};

/** Daemons that belong to the user who logs in. */
export type OwnDaemons = {
  /** Whether the user has one, and no other daemon runs. Errors: those of HostSession.run. */
  isAlone(session: HostSession, signal: AbortSignal): Promise<boolean>;
  /** For a login that cannot become root; empty if its user has none. Never fails. */
  hints(session: HostSession, ssh: SshSpec): Promise<readonly string[]>;
};

export const HOST_KINDS = seam<{ load(): Promise<HostKinds> }>();
