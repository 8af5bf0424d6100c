/** Network interfaces, addresses, routes, rules: what the kernel has, and changing it. */

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  readonly mtu: number;
  /** `aa:bb:cc:dd:ee:ff`, empty where there is none. */
  readonly mac: string;
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
  readonly source?: string;
  readonly metric?: number;
  /** Table number; 254 is main. */
  readonly table: number;
  /** rtm_protocol as a number: who made the route. */
  readonly protocol: number;
  readonly scope?: string;
}

export interface Rule {
  readonly priority: number;
  readonly family: 4 | 6;
  /** Match packets whose mark is *not* this. */
  readonly notMark?: number;
  readonly table: number;
  readonly protocol?: number;
}

export interface Links {
  links(): Promise<readonly Link[]>;
  addresses(): Promise<readonly LinkAddress[]>;
  routes(family: 4 | 6, table: number): Promise<readonly Route[]>;
  rules(family: 4 | 6): Promise<readonly Rule[]>;
  /**
   * The local address from which packets with this mark would leave for `remote`; `undefined` when there is no way there.
   * @param mark SO_MARK, 0: none.
   */
  sourceAddress(remote: string, mark: number): Promise<string | undefined>;
  setUp(device: string, up: boolean): Promise<void>;
  setMtu(device: string, mtu: number): Promise<void>;
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
