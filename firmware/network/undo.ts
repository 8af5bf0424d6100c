/** The way back from what the journal holds: only where a thing is still as we made it. */
import type { Link, LinkAddress, LinkChange, Route } from '../../hal/links.ts';
import type { JournalEntry } from './journal.ts';
import { isOurs, sameDestination } from './ownership.ts';
import type { Step } from './step.ts';

/** The machine as it is, as far as it can be undone. */
export interface Snapshot {
  readonly links: readonly Link[];
  readonly addresses: readonly LinkAddress[];
  /** Current values of the parameters that the journal names; without those that cannot be read. */
  readonly sysctls: ReadonlyMap<string, string>;
  /** The table of every displaced route. */
  readonly routes: readonly Route[];
}

export const FORWARDING_KEY = 'net.ipv4.ip_forward';
export const ACCEPT_REDIRECTS_KEY = 'net.ipv4.conf.all.accept_redirects';

/** What {@link undoSteps} has to be told the value of. */
export function sysctlKeys(entries: readonly JournalEntry[]): string[] {
  return entries.flatMap((entry) => {
    if (entry.kind === 'sysctl') return [entry.key];
    return entry.kind === 'forwarding' ? [FORWARDING_KEY] : [];
  });
}

/**
 * The steps that undo `entries`, the latest first. An entry whose thing is gone or was changed by somebody else since
 * gives no step; `void` names those, to be forgotten.
 */
export function undoSteps(
  entries: readonly JournalEntry[],
  snapshot: Snapshot,
): { readonly steps: readonly Step[]; readonly void: readonly JournalEntry[] } {
  // Several changes of one value are undone one after the other, so what an undo leaves is noted for the next.
  const mtus = new Map(snapshot.links.map(({ name, mtu }) => [name, mtu]));
  const macs = new Map(snapshot.links.map(({ name, mac }) => [name, mac]));
  const sysctls = new Map(snapshot.sysctls);
  const steps: Step[] = [];
  const stale: JournalEntry[] = [];
  for (const entry of entries.toReversed()) {
    const step = undo(entry, snapshot, mtus, macs, sysctls);
    if (step === undefined) stale.push(entry);
    else steps.push({ ...step, forgets: [entry] });
  }
  return { steps, void: stale };
}

/** Drivers take another address while the device is down; routes that go with that are put back by the same run. */
export function macChanges(device: string, mac: string, up: boolean): LinkChange[] {
  const set: LinkChange = { kind: 'set-mac', device, mac };
  return up ? [{ kind: 'set-up', device, up: false }, set, { kind: 'set-up', device, up: true }] : [set];
}

function undo(
  entry: JournalEntry,
  snapshot: Snapshot,
  mtus: Map<string, number>,
  macs: Map<string, string>,
  sysctls: Map<string, string>,
): Step | undefined {
  switch (entry.kind) {
    case 'link-up': {
      const { device } = entry;
      if (!snapshot.links.some(({ name, up }) => name === device && up)) return undefined;
      return { done: `${device} set down`, changes: [{ kind: 'set-up', device, up: false }] };
    }
    case 'mtu': {
      const { device, from, to } = entry;
      if (mtus.get(device) !== to) return undefined;
      mtus.set(device, from);
      return { done: `MTU of ${device} set back to ${from}`, changes: [{ kind: 'set-mtu', device, mtu: from }] };
    }
    case 'mac': {
      const { device, from, to } = entry;
      const link = snapshot.links.find(({ name }) => name === device);
      if (link === undefined || macs.get(device) !== to) return undefined;
      macs.set(device, from);
      return { done: `MAC address of ${device} set back to ${from}`, changes: macChanges(device, from, link.up) };
    }
    case 'vlan': {
      const { device, parent, id } = entry;
      const { vlan } = snapshot.links.find(({ name }) => name === device) ?? {};
      if (vlan?.parent !== parent || vlan.id !== id) return undefined;
      return { done: `VLAN ${device} removed`, changes: [{ kind: 'remove-link', device }] };
    }
    case 'address': {
      const { device, address } = entry;
      if (!snapshot.addresses.some((one) => one.device === device && one.address === address)) return undefined;
      return {
        done: `address ${address} removed from ${device}`,
        changes: [{ kind: 'remove-address', device, address }],
      };
    }
    case 'sysctl': {
      const { key, from, to } = entry;
      if (sysctls.get(key) !== to) return undefined;
      sysctls.set(key, from);
      return { done: `${key} set back to ${from}`, changes: [{ kind: 'set-sysctl', key, value: from }] };
    }
    case 'forwarding': {
      if (sysctls.get(FORWARDING_KEY) !== '1') return undefined;
      sysctls.set(FORWARDING_KEY, '0');
      return {
        done: 'forwarding switched off again',
        changes: [
          { kind: 'set-sysctl', key: FORWARDING_KEY, value: '0' },
          ...(entry.acceptRedirects === ''
            ? []
            : [{ kind: 'set-sysctl', key: ACCEPT_REDIRECTS_KEY, value: entry.acceptRedirects } as const]),
        ],
      };
    }
    case 'displaced-route': {
      const route: Route = entry.route;
      if (snapshot.routes.some((other) => sameDestination(other, route) && !isOurs(other))) return undefined;
      // It would have gone with its device.
      const { device } = route;
      if (device !== undefined && !snapshot.links.some(({ name, up }) => name === device && up)) return undefined;
      return { done: `route to ${route.prefix} put back`, changes: [{ kind: 'replace-route', route }] };
    }
  }
}
