/** Capabilities: Docker's default set, and those nearly equivalent to root. */

/** Default capabilities of a container. Adding one back after `--cap-drop ALL` only restores the default (moby: oci/caps). */
const DEFAULT: ReadonlySet<string> = new Set(
  `AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID
    SYS_CHROOT`.split(/\s+/),
);

const GRAVE: ReadonlySet<string> = new Set(
  'ALL SYS_ADMIN SYS_PTRACE SYS_MODULE SYS_RAWIO DAC_READ_SEARCH NET_ADMIN BPF SYS_BOOT'.split(' '),
);

function bareName(capability: string): string {
  return capability.toUpperCase().replace(/^CAP_/, '');
}

export function moreThanDefault(capabilities: readonly string[]): readonly string[] {
  return capabilities.filter((name) => !DEFAULT.has(bareName(name)));
}

/** A capability nearly equivalent to root. */
export function isGrave(capability: string): boolean {
  return GRAVE.has(bareName(capability));
}
