/** Which VLANs are to be made, and which to be removed to be made otherwise. */
import type { Link, Vlan } from '../../hal/links.ts';
import type { Failure } from '../protocol/machine.ts';
import type { DesiredLink } from './desired.ts';
import type { JournalEntry } from './journal.ts';
import type { Step } from './step.ts';

export interface VlanPlan {
  /** By device. */
  readonly added: ReadonlyMap<string, Step>;
  /** Ours, of another number or parent: what the journal says of them is undone before anything is added. */
  readonly removed: ReadonlySet<string>;
  /** Devices of that name that are somebody else's. */
  readonly occupied: ReadonlySet<string>;
  readonly failures: readonly Failure[];
}

/** @param present by name. */
export function planVlans(
  links: readonly DesiredLink[],
  present: ReadonlyMap<string, Link>,
  journal: readonly JournalEntry[],
): VlanPlan {
  const added = new Map<string, Step>();
  const removed = new Set<string>();
  const occupied = new Set<string>();
  const failures: Failure[] = [];
  for (const { name, device, vlan } of links) {
    if (vlan === undefined) continue;
    const found = present.get(device);
    if (found !== undefined && isVlan(found, vlan)) continue;
    const ours = journal.some((entry) => entry.kind === 'vlan' && entry.device === device && isEntryOf(entry, found));
    if (found !== undefined && !ours) {
      occupied.add(device);
      failures.push(taken(name, device, vlan));
    } else if (!present.has(vlan.parent)) {
      failures.push(noParent(name, device, vlan));
    } else {
      if (found !== undefined) removed.add(device);
      added.set(device, addition(device, vlan));
    }
  }
  return { added, removed, occupied, failures };
}

function isVlan({ vlan }: Link, { parent, id }: Vlan): boolean {
  return vlan?.parent === parent && vlan.id === id;
}

function isEntryOf(entry: { readonly parent: string; readonly id: number }, link: Link | undefined): boolean {
  return link !== undefined && isVlan(link, entry);
}

function addition(device: string, vlan: Vlan): Step {
  return {
    done: `${device} made, VLAN ${vlan.id} of ${vlan.parent}`,
    changes: [{ kind: 'add-vlan', device, vlan }],
    records: { kind: 'vlan', device, ...vlan },
  };
}

function taken(name: string, device: string, { parent, id }: Vlan): Failure {
  return {
    step: 'network',
    reason: `the device ${device} of interface "${name}" is there already and is not VLAN ${id} of ${parent}`,
    remedy: `set interfaces.${name}.device to another name, or remove that device`,
  };
}

function noParent(name: string, device: string, { parent, id }: Vlan): Failure {
  return {
    step: 'network',
    reason: `the device ${device} of interface "${name}" cannot be made, VLAN ${id} of ${parent}, which does not exist`,
    remedy: `plug it in, or correct interfaces.${name}.vlan.parent`,
  };
}
