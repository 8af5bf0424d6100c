/** A machine's links, addresses, routes and rules in memory, with the kernel's errors. */
import { HalError } from '../hal-error.ts';
import { formatIpAddress, maskAddress, parseAddressWithLength, parseIpAddress } from '../ip-address.ts';
import { decimal, MAX_VLAN, macAddress, routeArguments } from '../ip-arguments.ts';
import type { Link, LinkAddress, LinkChange, Links, NetworkState, Route, Rule, Vlan } from '../links.ts';
import { assertInterfaceName } from '../names.ts';
import { applyOneByOne } from './one-by-one.ts';
import { type AddressEntry, sourceTowards } from './route-lookup.ts';
import { SimulatedRoutes } from './routes.ts';

/** Values of a machine that was just started. */
const SYSCTL_DEFAULTS: readonly (readonly [string, string])[] = [
  ['net.ipv4.ip_forward', '0'],
  ['net.ipv4.conf.all.rp_filter', '0'],
  ['net.ipv6.conf.all.forwarding', '0'],
  ['net.ipv6.conf.all.disable_ipv6', '0'],
];

/** Rules that every machine has: the tables local, main and (IPv4) default. */
const DEFAULT_RULES: readonly Rule[] = [
  { priority: 0, family: 4, table: 255 },
  { priority: 32_766, family: 4, table: 254 },
  { priority: 32_767, family: 4, table: 253 },
  { priority: 0, family: 6, table: 255 },
  { priority: 32_766, family: 6, table: 254 },
];

export interface SimulatedLinkOptions {
  readonly name: string;
  /** Octets; default 1500. */
  readonly mtu?: number;
  /** Default false, as the kernel makes them. */
  readonly up?: boolean;
  readonly mac?: string;
  /** Whether there is something at the other end of its cable. Default true. */
  readonly plugged?: boolean;
}

export class SimulatedLinks implements Links {
  #links: Link[] = [];
  readonly #unplugged = new Set<string>();
  #addresses: AddressEntry[] = [];
  readonly #routes = new SimulatedRoutes();
  #rules: Rule[] = [...DEFAULT_RULES];
  readonly #sysctls = new Map<string, string>(SYSCTL_DEFAULTS);
  #nextIndex = 1;
  #changes: string[] = [];
  #version = 0;
  #unknownSysctl: (key: string) => Promise<string> = async (key) => {
    if (this.#isDeviceSysctl(key)) return '0';
    throw new HalError(`There is no kernel parameter ${JSON.stringify(key)}.`, 'ENOENT');
  };

  constructor() {
    this.addLink({ name: 'lo', mtu: 65_536, up: true });
    this.#insertAddress('lo', '127.0.0.1/8', '127.0.0.0/8');
    this.#insertAddress('lo', '::1/128', '::1/128');
    this.#changes = [];
  }

  /**
   * A machine that has what `state` tells, on which changes can be tried.
   * @param sysctl the kernel parameters of that machine. @throws HalError when there is none of that name.
   */
  static like(state: NetworkState, sysctl: (key: string) => Promise<string>): SimulatedLinks {
    const copy = new SimulatedLinks();
    copy.#links = [...state.links];
    copy.#addresses = state.addresses.map((entry) => ({ ...entry, network: networkOf(entry.address) }));
    copy.#routes.load(state.routes);
    copy.#rules = [...state.rules];
    copy.#sysctls.clear();
    copy.#unknownSysctl = sysctl;
    return copy;
  }

  /** The kernel (a driver, the test) adds a device. @throws HalError when it is there. */
  addLink(options: SimulatedLinkOptions): void {
    const { name, mtu = 1500, up = false, mac = '', plugged = true } = options;
    assertInterfaceName(name);
    if (this.has(name)) throw new HalError(`The interface ${name} exists.`, 'EEXIST');
    this.#links.push({ index: this.#nextIndex++, name, up, carrier: up && plugged, mtu, mac });
    if (!plugged) this.#unplugged.add(name);
    this.#version += 1;
  }

  /** Somebody pulls a device's cable, or puts it in. Routes stay as they are. */
  plug(name: string, plugged: boolean): void {
    if (plugged) this.#unplugged.delete(name);
    else this.#unplugged.add(name);
    const link = this.#link(name);
    this.#replaceLink({ ...link, carrier: link.up && plugged });
    this.#version += 1;
  }

  /** The device goes, and with it its addresses, routes and VLANs. Harmless when it is not there. */
  removeLink(name: string): void {
    for (const { name: child } of this.#links.filter(({ vlan }) => vlan?.parent === name)) this.removeLink(child);
    this.#links = this.#links.filter((link) => link.name !== name);
    this.#unplugged.delete(name);
    this.#addresses = this.#addresses.filter((entry) => entry.device !== name);
    this.#routes.removeDevice(name);
    this.#version += 1;
  }

  /** Grows with every change, whoever makes it; not with those of kernel parameters, of which no kernel tells. */
  get version(): number {
    return this.#version;
  }

  has(name: string): boolean {
    return this.#links.some((link) => link.name === name);
  }

  /** As the port for it says at once; undefined: there is no such device. */
  carrier(name: string): boolean | undefined {
    return this.#links.find((link) => link.name === name)?.carrier;
  }

  isUp(name: string): boolean {
    return this.#links.some((link) => link.name === name && link.up);
  }

  /** What was changed through the port since the last call, a line each: an idempotent caller leaves none behind. */
  takeChanges(): readonly string[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  async state(): Promise<NetworkState> {
    return {
      links: [...this.#links],
      addresses: await this.addresses(),
      routes: this.#routes.all(),
      rules: [...(await this.rules(4)), ...(await this.rules(6))],
    };
  }

  apply(changes: readonly LinkChange[]): Promise<readonly (HalError | undefined)[]> {
    return applyOneByOne(this, changes);
  }

  async links(): Promise<readonly Link[]> {
    return [...this.#links];
  }

  async addresses(): Promise<readonly LinkAddress[]> {
    return this.#addresses.map(({ device, address }) => ({ device, address }));
  }

  async linksAndAddresses(): Promise<Pick<NetworkState, 'links' | 'addresses'>> {
    return { links: await this.links(), addresses: await this.addresses() };
  }

  async routes(family: 4 | 6, table: number): Promise<readonly Route[]> {
    return this.#routes.list(family, table);
  }

  async rules(family: 4 | 6): Promise<readonly Rule[]> {
    return this.#rules.filter((rule) => rule.family === family).toSorted((a, b) => a.priority - b.priority);
  }

  async sourceAddress(remote: string, mark: number): Promise<string | undefined> {
    const octets = parseIpAddress(remote);
    if (!octets) throw new HalError(`${JSON.stringify(remote)} is no IP address.`, 'EINVAL');
    const state = {
      rules: this.#rules.toSorted((a, b) => a.priority - b.priority),
      addresses: this.#addresses,
      routes: (family: 4 | 6, table: number) => this.#routes.list(family, table),
      isUp: (device: string) => this.isUp(device),
    };
    return sourceTowards(state, octets, mark);
  }

  async setUp(device: string, up: boolean): Promise<void> {
    const link = this.#link(device);
    if (up && link.vlan !== undefined && !this.isUp(link.vlan.parent))
      throw new HalError(`The interface ${device} cannot be set up: ${link.vlan.parent} is down.`, 'ENETDOWN');
    if (!up)
      for (const { name } of this.#links.filter(({ vlan }) => vlan?.parent === device)) await this.setUp(name, false);
    this.#replaceLink({ ...link, up, carrier: up && !this.#unplugged.has(device) });
    if (up && !link.up) this.#addressesOf(device).forEach((entry) => void this.#routes.addConnected(entry));
    if (!up) {
      this.#routes.removeDevice(device);
      this.#addresses = this.#addresses.filter((entry) => entry.device !== device || !entry.address.includes(':'));
    }
    this.#note(`link ${device} ${up ? 'up' : 'down'}`);
  }

  async setMtu(device: string, mtu: number): Promise<void> {
    const link = this.#link(device);
    if (!Number.isInteger(mtu) || mtu < 68 || mtu > 65_536) throw new HalError(`${mtu} is no MTU.`, 'EINVAL');
    this.#replaceLink({ ...link, mtu });
    this.#note(`link ${device} mtu ${mtu}`);
  }

  async setMac(device: string, mac: string): Promise<void> {
    const link = this.#link(device);
    this.#replaceLink({ ...link, mac: macAddress(mac).toLowerCase() });
    this.#note(`link ${device} address ${mac}`);
  }

  async addVlan(device: string, vlan: Vlan): Promise<void> {
    const parent = this.#link(vlan.parent);
    decimal(vlan.id, MAX_VLAN, 'the number of a VLAN');
    const taken = this.#links.some((link) => link.vlan?.parent === vlan.parent && link.vlan.id === vlan.id);
    if (taken) throw new HalError(`VLAN ${vlan.id} of ${vlan.parent} is there already.`, 'EEXIST');
    this.addLink({ name: device, mtu: parent.mtu, mac: parent.mac });
    this.#replaceLink({ ...this.#link(device), vlan });
    this.#note(`link add ${device} vlan ${vlan.id} of ${vlan.parent}`);
  }

  async removeVlan(device: string): Promise<void> {
    if (this.#link(device).vlan === undefined)
      throw new HalError(`The device ${device} cannot be removed: it is hardware.`, 'EOPNOTSUPP');
    this.removeLink(device);
    this.#note(`link del ${device}`);
  }

  async addAddress(device: string, address: string): Promise<void> {
    const parsed = parseAddressWithLength(address);
    if (!parsed) throw new HalError(`${JSON.stringify(address)} is no IP address with its prefix length.`, 'EINVAL');
    const text = `${formatIpAddress(parsed.octets)}/${parsed.length}`;
    this.#insertAddress(device, text, networkOf(text));
  }

  async addPeerAddress(device: string, address: string, peer: string): Promise<void> {
    const local = parseIpAddress(address);
    const remote = parseIpAddress(peer);
    if (!local || !remote || local.length !== remote.length) {
      throw new HalError(`${JSON.stringify(address)} and ${JSON.stringify(peer)} are no pair of addresses.`, 'EINVAL');
    }
    const length = local.length * 8;
    this.#insertAddress(device, `${formatIpAddress(local)}/${length}`, `${formatIpAddress(remote)}/${length}`);
  }

  async removeAddress(device: string, address: string): Promise<void> {
    this.#link(device);
    const entry = this.#addressesOf(device).find((other) => other.address === address);
    if (!entry) throw new HalError(`The address ${address} is not on ${device}.`, 'EADDRNOTAVAIL');
    this.#addresses = this.#addresses.filter((other) => other !== entry);
    this.#routes.removeConnected(entry);
    this.#note(`address del ${address} dev ${device}`);
  }

  async replaceRoute(route: Route): Promise<void> {
    const device = route.device ?? this.#deviceTowards(route);
    if (route.nexthops !== undefined) {
      routeArguments(route);
      for (const hop of route.nexthops) {
        if (!this.has(hop.device)) throw new HalError(`There is no network interface ${hop.device}.`, 'ENODEV');
        if (!this.isUp(hop.device)) throw new HalError(`The interface ${hop.device} is down.`, 'ENETDOWN');
        this.#deviceTowards(hop);
      }
    } else if (route.type === 'unicast') {
      if (device === undefined || !this.has(device)) {
        throw new HalError(`The route to ${route.prefix} has no network interface.`, 'ENODEV');
      }
      if (!this.isUp(device)) throw new HalError(`The interface ${device} is down.`, 'ENETDOWN');
    }
    this.#routes.replace(device === undefined ? route : { ...route, device });
    this.#note(`route replace ${describeRoute(route)}`);
  }

  async removeRoute(route: Route): Promise<void> {
    this.#routes.remove(route);
    this.#note(`route del ${describeRoute(route)}`);
  }

  async addRule(rule: Rule): Promise<void> {
    if (this.#rules.some((other) => sameRule(other, rule))) {
      throw new HalError(`The rule of priority ${rule.priority} is there already.`, 'EEXIST');
    }
    this.#rules.push({ ...rule });
    this.#note(`rule add ${describeRule(rule)}`);
  }

  async removeRule(rule: Rule): Promise<void> {
    const index = this.#rules.findIndex((other) => matchesRule(other, rule));
    if (index < 0) throw new HalError(`The rule of priority ${rule.priority} is not there.`, 'ENOENT');
    this.#rules.splice(index, 1);
    this.#note(`rule del ${describeRule(rule)}`);
  }

  async getSysctl(key: string): Promise<string> {
    return this.#sysctls.get(key) ?? (await this.#unknownSysctl(key));
  }

  async setSysctl(key: string, value: string): Promise<void> {
    await this.getSysctl(key);
    this.#sysctls.set(key, value.trim());
    this.#changes.push(`sysctl ${key}=${value}`);
  }

  /** Of `net.ipv4.conf.DEVICE.x`: such a parameter is there while the device is; a dot in a name is a slash. */
  #isDeviceSysctl(key: string): boolean {
    const device = /^net\.ipv[46]\.conf\.([^.]+)\.[a-z0-9_]+$/.exec(key)?.[1]?.replaceAll('/', '.');
    return device !== undefined && (device === 'all' || device === 'default' || this.has(device));
  }

  #note(change: string): void {
    this.#changes.push(change);
    this.#version += 1;
  }

  #link(name: string): Link {
    const link = this.#links.find((other) => other.name === name);
    if (!link) throw new HalError(`There is no network interface ${name}.`, 'ENODEV');
    return link;
  }

  #replaceLink(link: Link): void {
    this.#links = this.#links.map((other) => (other.name === link.name ? link : other));
  }

  #addressesOf(device: string): readonly AddressEntry[] {
    return this.#addresses.filter((entry) => entry.device === device);
  }

  #insertAddress(device: string, address: string, network: string): void {
    const link = this.#link(device);
    if (this.#addresses.some((other) => other.device === device && other.address === address)) {
      throw new HalError(`The address ${address} is on ${device} already.`, 'EEXIST');
    }
    const entry: AddressEntry = { device, address, network };
    this.#addresses.push(entry);
    if (link.up) this.#routes.addConnected(entry);
    this.#note(`address add ${address} dev ${device}`);
  }

  /** The device of the network that the gateway is on. */
  #deviceTowards(route: Pick<Route, 'gateway'>): string | undefined {
    const gateway = route.gateway === undefined ? undefined : parseIpAddress(route.gateway);
    if (!gateway) return undefined;
    const entry = this.#addresses.find(({ network, device }) => {
      const parsed = parseAddressWithLength(network);
      if (!parsed || parsed.octets.length !== gateway.length || !this.isUp(device)) return false;
      return formatIpAddress(maskAddress(gateway, parsed.length)) === formatIpAddress(parsed.octets);
    });
    if (entry) return entry.device;
    throw new HalError(
      `The gateway ${route.gateway} is not on a network of this machine.`,
      gateway.length === 4 ? 'ENETUNREACH' : 'EHOSTUNREACH',
    );
  }
}

/** Of an address with its prefix length. */
function networkOf(address: string): string {
  const parsed = parseAddressWithLength(address);
  return parsed ? `${formatIpAddress(maskAddress(parsed.octets, parsed.length))}/${parsed.length}` : address;
}

function sameRule(a: Rule, b: Rule): boolean {
  return describeRule(a) === describeRule(b);
}

/** Whether removing `wanted` takes `rule`: what it leaves out matches anything. */
function matchesRule(rule: Rule, wanted: Rule): boolean {
  return (
    rule.family === wanted.family &&
    rule.priority === wanted.priority &&
    rule.table === wanted.table &&
    rule.goto === wanted.goto &&
    (wanted.notMark === undefined || rule.notMark === wanted.notMark) &&
    (wanted.mark === undefined || rule.mark === wanted.mark) &&
    (wanted.source === undefined || rule.source === wanted.source) &&
    (wanted.protocol === undefined || rule.protocol === wanted.protocol)
  );
}

function describeRule(rule: Rule): string {
  const source = rule.source === undefined ? '' : ` from ${rule.source}`;
  const not = rule.notMark === undefined ? '' : ` not fwmark ${rule.notMark}`;
  const mark = rule.mark === undefined ? '' : ` fwmark ${rule.mark}`;
  const owner = rule.protocol === undefined ? '' : ` protocol ${rule.protocol}`;
  const action = rule.goto === undefined ? `lookup ${rule.table}` : `goto ${rule.goto}`;
  return `IPv${rule.family}${source}${not}${mark} ${action} priority ${rule.priority}${owner}`;
}

function describeRoute(route: Route): string {
  const via = route.gateway === undefined ? '' : ` via ${route.gateway}`;
  const device = route.device === undefined ? '' : ` dev ${route.device}`;
  const metric = route.metric === undefined ? '' : ` metric ${route.metric}`;
  const hops = (route.nexthops ?? []).map(
    (hop) => ` nexthop${hop.gateway === undefined ? '' : ` via ${hop.gateway}`} dev ${hop.device} weight ${hop.weight}`,
  );
  return `${route.type} ${route.prefix}${via}${device}${metric} table ${route.table} proto ${route.protocol}${hops.join('')}`;
}
