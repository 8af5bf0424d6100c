/** Network interfaces, addresses, routes, rules: what the kernel has, and changing it. */
import type { HalError } from './hal-error.ts';

export interface Link {
  readonly index: number;
  readonly name: string;
  /** Set up by whoever runs the machine. */
  readonly up: boolean;
  /** It is up, and there is something at the other end of its cable. */
  readonly carrier: boolean;
  readonly mtu: number;
  /** `aa:bb:cc:dd:ee:ff`, empty where there is none. */
  readonly mac: string;
  /** Of a VLAN: the device whose frames it tags, and its number. */
  readonly vlan?: Vlan;
}

export interface Vlan {
  readonly parent: string;
  /** 1..4094. */
  readonly id: number;
}

export interface LinkAddress {
  readonly device: string;
  /** `192.0.2.1/24` */
  readonly address: string;
}

export interface Route {
  /** CIDR, `0.0.0.0/0` for the default. */
  readonly prefix: string;
  readonly type: 'unicast' | 'unreachable' | 'throw' | 'blackhole';
  readonly device?: string;
  readonly gateway?: string;
  /** Two or more, which share the flows by their weights; IPv4 alone, and instead of `device` and `gateway`. */
  readonly nexthops?: readonly NextHop[];
  readonly source?: string;
  readonly metric?: number;
  /** Table number; 254 is main. */
  readonly table: number;
  /** rtm_protocol as a number: who made the route. */
  readonly protocol: number;
  readonly scope?: string;
}

/** One way of a route that has several. */
export interface NextHop {
  readonly device: string;
  readonly gateway?: string;
  /** 1..256. */
  readonly weight: number;
}

export interface Rule {
  readonly priority: number;
  readonly family: 4 | 6;
  /** Match packets whose mark is *not* this. */
  readonly notMark?: number;
  /** Match packets whose mark is this. */
  readonly mark?: number;
  /** Match packets from this network, CIDR. What this machine sends without having chosen an address is from 0.0.0.0. Not with `notMark`. */
  readonly source?: string;
  /** Where it looks, or, with `goto`, the priority of the rule that is asked next: one of the two is there. */
  readonly table?: number;
  readonly goto?: number;
  readonly protocol?: number;
}

/** One change of the kernel's network. */
export type LinkChange =
  | { readonly kind: 'set-up'; readonly device: string; readonly up: boolean }
  | { readonly kind: 'set-mtu'; readonly device: string; readonly mtu: number }
  /** Refused by many drivers while the device is up. */
  | { readonly kind: 'set-mac'; readonly device: string; readonly mac: string }
  /** `device` is the new one; it has its parent's MAC and is down. */
  | { readonly kind: 'add-vlan'; readonly device: string; readonly vlan: Vlan }
  /** Of a device that is software alone: a VLAN. */
  | { readonly kind: 'remove-link'; readonly device: string }
  /** `peer`: point-to-point, both without a prefix length. */
  | { readonly kind: 'add-address'; readonly device: string; readonly address: string; readonly peer?: string }
  | { readonly kind: 'remove-address'; readonly device: string; readonly address: string; readonly peer?: string }
  | { readonly kind: 'replace-route'; readonly route: Route }
  | { readonly kind: 'remove-route'; readonly route: Route }
  | { readonly kind: 'add-rule'; readonly rule: Rule }
  | { readonly kind: 'remove-rule'; readonly rule: Rule }
  | { readonly kind: 'set-sysctl'; readonly key: string; readonly value: string };

/** What the kernel has, read at one time. */
export interface NetworkState {
  readonly links: readonly Link[];
  readonly addresses: readonly LinkAddress[];
  /** Of every table and of both families; those that the port cannot express are left out. */
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
}

export interface Links {
  /** All of it with as little effort as the system allows; without IPv6 on a kernel that has none. */
  state(): Promise<NetworkState>;
  /**
   * Makes the changes in their order, with as little effort as the system allows; one that is refused does not stop the
   * rest. Never rejects.
   * @returns for each change its error; `undefined`: it was made.
   */
  apply(changes: readonly LinkChange[]): Promise<readonly (HalError | undefined)[]>;
  links(): Promise<readonly Link[]>;
  addresses(): Promise<readonly LinkAddress[]>;
  /** Both, read at one time: half the effort. */
  linksAndAddresses(): Promise<Pick<NetworkState, 'links' | 'addresses'>>;
  routes(family: 4 | 6, table: number): Promise<readonly Route[]>;
  rules(family: 4 | 6): Promise<readonly Rule[]>;
  /**
   * The local address from which packets with this mark would leave for `remote`; `undefined` when there is no way there.
   * @param mark SO_MARK, 0: none.
   */
  sourceAddress(remote: string, mark: number): Promise<string | undefined>;
  setUp(device: string, up: boolean): Promise<void>;
  setMtu(device: string, mtu: number): Promise<void>;
  setMac(device: string, mac: string): Promise<void>;
  addVlan(device: string, vlan: Vlan): Promise<void>;
  removeVlan(device: string): Promise<void>;
  addAddress(device: string, address: string): Promise<void>;
  /** As {@link addAddress}, for point-to-point: `address` is a plain address, `peer` too. */
  addPeerAddress(device: string, address: string, peer: string): Promise<void>;
  removeAddress(device: string, address: string): Promise<void>;
  replaceRoute(route: Route): Promise<void>;
  removeRoute(route: Route): Promise<void>;
  addRule(rule: Rule): Promise<void>;
  removeRule(rule: Rule): Promise<void>;
  /** `net.ipv4.ip_forward` and its like. */
  getSysctl(key: string): Promise<string>;
  setSysctl(key: string, value: string): Promise<void>;
}
