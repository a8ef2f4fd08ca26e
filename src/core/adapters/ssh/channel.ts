/** The contract of a transport: commands on a host, each with its streams and its end. Types only. */

import type { Login } from '../../domain/quote.ts';
import type { Secret } from '../../domain/secret.ts';
import type { HostKey, SshOptions, Tunnel } from '../../runtime.ts';
import type { Mark, SudoMode } from './frame.ts';

/** The end of a command, as reported by the transport. `lost` holds the error if the connection broke. */
export type ChannelEnd = { readonly status?: number; readonly signal?: string; readonly lost?: Error };

export type Channel = {
  /** Queues bytes for the command's stdin; ignores errors of a closed pipe. */
  write(bytes: Uint8Array): void;
  endInput(): void;
  onOutput(listener: (stream: 'stdout' | 'stderr', chunk: Buffer) => void): void;
  readonly ended: Promise<ChannelEnd>;
  /** The answer is complete: releases the command and anything it left running. May be called twice. */
  close(): void;
  /** Aborts the command as well as the transport can, then closes. May be called twice. */
  kill(): void;
};

/** Starts a command of these words. Rejects with a DockerTlsError if the host refuses or the connection is lost. */
export type OpenChannel = (words: readonly string[]) => Promise<Channel>;

/** Knowledge about sudo on a host, kept for the session. */
export type SudoKnowledge = {
  /** Undefined until a first run as root succeeded. */
  asks?: boolean;
  password?: Secret;
};

/** An exec started before its script exists. */
export type WaitingExec = { readonly mark: Mark; readonly mode: SudoMode; readonly channel: Promise<Channel> };

export type ExecContext = {
  readonly options: SshOptions;
  readonly user: string;
  /** For the commands in hints. */
  readonly login: Login;
  /** The value of OPERATOR in scripts. */
  readonly operator: string;
  readonly open: OpenChannel;
  readonly sudo: SudoKnowledge;
  /** Kept for the session. */
  readonly waiting: { exec?: WaitingExec | undefined };
};

/** A transport: it starts commands, and closes everything. */
export type Transport = {
  readonly user: string;
  /** The operator, if it is not the login user: `sudo docker-tls … local`. */
  readonly operator?: string;
  readonly dialled: string;
  readonly transport: string;
  /** The reason for not using ssh2: for -v. */
  readonly reason?: string;
  readonly hostKey?: HostKey | undefined;
  /** A key (of a file or an agent) was enough, without a password. */
  readonly byKey?: () => boolean;
  readonly open: OpenChannel;
  /** An exec may overtake one before it: none is started ahead of its script, because a host that opens one session at a time would refuse the run. */
  readonly overtakes?: true;
  readonly tunnel: Tunnel;
  close(): Promise<void>;
};
