/** The difference between wanted and actual links and addresses, as steps. */
import type { Link, LinkAddress } from '../../hal/links.ts';
import { isIpv6Text } from '../protocol/ip-prefix.ts';
import type { Failure } from '../protocol/machine.ts';
import type { DesiredAddress, DesiredLink } from './desired.ts';
import type { JournalEntry } from './journal.ts';
import { planVlans } from './plan-vlans.ts';
import type { Step } from './step.ts';
import { macChanges, undoSteps } from './undo.ts';

export interface LinkPlan {
  readonly steps: readonly Step[];
  /** Devices that are configured and not there. */
  readonly failures: readonly Failure[];
  /** Devices that are there and somebody else's, though the configuration has one of that name: nothing leads by them. */
  readonly occupied: ReadonlySet<string>;
  /** Journal entries whose thing is gone. */
  readonly void: readonly JournalEntry[];
}

export function planLinks(
  desired: {
    readonly links: readonly DesiredLink[];
    readonly addresses: readonly DesiredAddress[];
    /** Devices of standing tunnels: whatever IPv4 address is on them is ours, and IPv6, where any is wanted there. */
    readonly tunnelDevices: ReadonlySet<string>;
  },
  actual: { readonly links: readonly Link[]; readonly addresses: readonly LinkAddress[] },
  journal: readonly JournalEntry[],
): LinkPlan {
  const present = new Map(actual.links.map((link) => [link.name, link]));
  const vlans = planVlans(desired.links, present, journal);
  // Those that are made anew have nothing of what their predecessor had.
  for (const device of [...vlans.removed, ...vlans.occupied]) present.delete(device);
  const comes = (device: string): boolean => present.has(device) || vlans.added.has(device);
  const undone = undoSteps(
    journal.filter((entry) => isUnwanted(entry, desired)),
    { ...actual, sysctls: new Map(), routes: [] },
  );
  // The kernel gives a TUN a link-local address of its own accord, which the peer does not know.
  const withIpv6 = new Set(desired.addresses.flatMap(({ device, address }) => (isIpv6Text(address) ? [device] : [])));
  const stale = actual.addresses.filter(
    (one) =>
      desired.tunnelDevices.has(one.device) &&
      (!isIpv6Text(one.address) || withIpv6.has(one.device) || !one.address.startsWith('fe80:')) &&
      !desired.addresses.some((wanted) => isAt(wanted, one)),
  );
  return {
    steps: [
      ...undone.steps,
      ...stale.map(removal),
      ...desired.links.flatMap((link) => {
        const added = vlans.added.get(link.device);
        return added === undefined
          ? linkSteps(link, present.get(link.device), journal)
          : [added, ...newLinkSteps(link)];
      }),
      ...desired.addresses
        .filter(({ device }) => comes(device))
        .filter((wanted) => vlans.added.has(wanted.device) || !actual.addresses.some((one) => isAt(wanted, one)))
        .map((wanted) => addition(wanted, desired.tunnelDevices.has(wanted.device))),
    ],
    failures: [
      ...vlans.failures,
      ...desired.links
        .filter(({ device, vlan }) => vlan === undefined && !present.has(device))
        .map((link) => missing(link, actual.links)),
    ],
    occupied: vlans.occupied,
    void: undone.void,
  };
}

/** Whether the configuration no longer asks for what the entry tells of. */
function isUnwanted(
  entry: JournalEntry,
  desired: { readonly links: readonly DesiredLink[]; readonly addresses: readonly DesiredAddress[] },
): boolean {
  switch (entry.kind) {
    case 'link-up':
      return !desired.links.some(({ device }) => device === entry.device);
    case 'mtu':
      return !desired.links.some(({ device, mtu }) => device === entry.device && mtu !== undefined);
    case 'mac':
      return !desired.links.some(({ device, mac }) => device === entry.device && mac !== undefined);
    case 'vlan':
      return !desired.links.some(
        ({ device, vlan }) => device === entry.device && vlan?.parent === entry.parent && vlan.id === entry.id,
      );
    case 'address':
      return !desired.addresses.some((wanted) => isAt(wanted, entry));
    default:
      return false;
  }
}

function linkSteps(
  { device, mtu, mac }: DesiredLink,
  link: Link | undefined,
  journal: readonly JournalEntry[],
): Step[] {
  if (link === undefined) return [];
  const steps: Step[] = [];
  if (mac !== undefined && mac !== link.mac) {
    const own = journal.flatMap((entry) => (entry.kind === 'mac' && entry.device === device ? [entry.to] : [])).at(-1);
    const from = own ?? link.mac;
    steps.push({
      done: `MAC address of ${device} set to ${mac}`,
      changes: macChanges(device, mac, link.up),
      ...(from === mac ? {} : { records: { kind: 'mac', device, from, to: mac } }),
    });
  }
  if (mtu !== undefined && mtu !== link.mtu) {
    steps.push({
      done: `MTU of ${device} set to ${mtu}`,
      changes: [{ kind: 'set-mtu', device, mtu }],
      repaired: `MTU of ${device} was changed to ${link.mtu} by somebody else, and is set back to ${mtu}`,
      ...mtuRecord(device, ownMtu(journal, device) ?? link.mtu, mtu),
    });
  }
  if (!link.up) {
    steps.push({
      done: `${device} set up`,
      changes: [{ kind: 'set-up', device, up: true }],
      repaired: `${device} was set down by somebody else, and is set up again`,
      records: { kind: 'link-up', device },
    });
  }
  return steps;
}

/** Of a device that is made by the step before: what is done to it goes with it, and is written down nowhere. */
function newLinkSteps({ device, mtu, mac }: DesiredLink): Step[] {
  return [
    ...(mac === undefined
      ? []
      : [{ done: `MAC address of ${device} set to ${mac}`, changes: macChanges(device, mac, false) }]),
    ...(mtu === undefined
      ? []
      : [{ done: `MTU of ${device} set to ${mtu}`, changes: [{ kind: 'set-mtu', device, mtu } as const] }]),
    { done: `${device} set up`, changes: [{ kind: 'set-up', device, up: true }] },
  ];
}

/** What we set it to last, which somebody else may have changed since. */
function ownMtu(journal: readonly JournalEntry[], device: string): number | undefined {
  return journal.flatMap((entry) => (entry.kind === 'mtu' && entry.device === device ? [entry.to] : [])).at(-1);
}

/** One link of the chain of our own values, which leads back to what was found; none where that value is its end already. */
function mtuRecord(device: string, from: number, to: number): Pick<Step, 'records'> {
  return from === to ? {} : { records: { kind: 'mtu', device, from, to } };
}

function addition({ device, address }: DesiredAddress, ofTunnel: boolean): Step {
  return {
    done: `address ${address} added to ${device}`,
    changes: [{ kind: 'add-address', device, address }],
    repaired: `address ${address} was removed from ${device} by somebody else, and is put back`,
    // A tunnel's device goes with the process, and its addresses with it.
    ...(ofTunnel ? {} : { records: { kind: 'address', device, address } as const }),
  };
}

function removal({ device, address }: LinkAddress): Step {
  return {
    done: `address ${address} removed from ${device}`,
    changes: [{ kind: 'remove-address', device, address }],
  };
}

function isAt(a: DesiredAddress, b: DesiredAddress): boolean {
  return a.device === b.device && a.address === b.address;
}

function missing({ name, device }: DesiredLink, links: readonly Link[]): Failure {
  const others = links.map((link) => link.name).filter((other) => other !== 'lo');
  return {
    step: 'network',
    reason: `the device ${device} of interface "${name}" does not exist`,
    remedy: `plug it in, or set interfaces.${name}.device to one that exists: ${others.join(', ') || 'there is none'}`,
  };
}
