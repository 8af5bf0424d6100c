/** Which of the rights that a router needs this process has, and how to grant the others. */
import { readFileSync } from 'node:fs';

/** Bit numbers of linux/capability.h. */
const BITS = { CAP_NET_BIND_SERVICE: 10, CAP_NET_ADMIN: 12, CAP_NET_RAW: 13 } as const;

export type Capability = keyof typeof BITS;

export const REQUIRED_CAPABILITIES: readonly Capability[] = ['CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_NET_BIND_SERVICE'];

/** Capability masks of a process, from the text of `/proc/PID/status`. */
export interface CapabilitySets {
  readonly effective: bigint;
  /** Those that a program which this one starts (`ip`, `nft`) gets. */
  readonly ambient: bigint;
}

/** Reads the `CapEff` and `CapAmb` lines; a missing one counts as empty. */
export function parseCapabilitySets(status: string): CapabilitySets {
  return { effective: mask(status, 'CapEff'), ambient: mask(status, 'CapAmb') };
}

function mask(status: string, field: string): bigint {
  const hex = new RegExp(`^${field}:\\s*([0-9a-f]{1,16})$`, 'm').exec(status)?.[1];
  return hex === undefined ? 0n : BigInt(`0x${hex}`);
}

function holds(set: bigint, capability: Capability): boolean {
  return (set & (1n << BigInt(BITS[capability]))) !== 0n;
}

function ownSets(): CapabilitySets {
  try {
    return parseCapabilitySets(readFileSync('/proc/thread-self/status', 'latin1'));
  } catch {
    return { effective: 0n, ambient: 0n };
  }
}

/** Whether the calling thread may use the capability now. */
export function hasCapability(capability: Capability): boolean {
  return holds(ownSets().effective, capability);
}

/** Whether `ip` and `nft`, started by this process, get the capability: root's children do, others need it ambient. */
export function passesCapabilityOn(capability: Capability): boolean {
  const sets = ownSets();
  return holds(sets.effective, capability) && (process.geteuid?.() === 0 || holds(sets.ambient, capability));
}

/** The names of those capabilities of {@link REQUIRED_CAPABILITIES} that this process, or what it starts, lacks. */
export function missingCapabilities(): string[] {
  return REQUIRED_CAPABILITIES.filter((capability) => !passesCapabilityOn(capability));
}

/**
 * A sentence that says which capabilities are missing and how to grant them. File capabilities (setcap) on the node binary are no
 * remedy: they would go to every script, and would not reach `ip` and `nft`.
 */
export function capabilityAdvice(missing: readonly string[]): string {
  const all = REQUIRED_CAPABILITIES;
  const flags = all.map((name) => `+${name.slice('CAP_'.length).toLowerCase()}`).join(',');
  return (
    `This process lacks ${listed(missing)}: run it as root, from systemd with "AmbientCapabilities=${all.join(' ')}", ` +
    `or through "setpriv --inh-caps ${flags} --ambient-caps ${flags}".`
  );
}

/** Why the kernel answered EPERM or EACCES to something that needs `capability`, and the remedy, in one sentence. */
export function explainDenied(capability: Capability): string {
  if (!hasCapability(capability)) return capabilityAdvice([capability]);
  return (
    `The process has ${capability}, so a container, a security module or a read-only mount forbids it: ` +
    'allow it there, or run Culvert outside.'
  );
}

function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
