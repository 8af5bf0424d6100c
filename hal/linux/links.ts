/** Links, addresses, routes and rules through the program `ip` and its JSON output. */
import { HalError } from '../hal-error.ts';
import type { Link, LinkAddress, Links, Route, Rule } from '../links.ts';
import { assertInterfaceName } from '../names.ts';
import { capabilityAdvice, explainDenied, passesCapabilityOn } from './capabilities.ts';
import {
  addressWithLength,
  decimal,
  familyFlag,
  familyOf,
  MAX_U32,
  plainAddress,
  routeArguments,
  ruleArguments,
} from './ip-arguments.ts';
import { errorCodeOf, errorTextOf } from './ip-errors.ts';
import { parseAddresses, parseLinks, parsePreferredSource, parseRoutes, parseRules } from './ip-json.ts';
import { runProgram } from './run-program.ts';
import { readSysctl, writeSysctl } from './sysctl.ts';

/**
 * What the kernel answers to a look-up that finds no route, an `unreachable`, a `prohibit` or a `blackhole` one. The
 * question itself was checked and takes no privilege, so that these can mean nothing else.
 */
const NO_WAY: ReadonlySet<string> = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'EPERM', 'EINVAL', 'ENETDOWN']);

/**
 * Calls may be made without awaiting each: they are carried out one after the other in the order in which they came,
 * so that a route finds the address that was added before it, and a reading shows the changes asked for before.
 */
export class LinuxLinks implements Links {
  #last: Promise<unknown> = Promise.resolve();

  async links(): Promise<readonly Link[]> {
    return parseLinks(await this.#read(['link', 'show'], 'The network interfaces'));
  }

  async addresses(): Promise<readonly LinkAddress[]> {
    const found = parseAddresses(await this.#read(['address', 'show'], 'The addresses'));
    return found.map(({ device, address }) => ({ device, address }));
  }

  async routes(family: 4 | 6, table: number): Promise<readonly Route[]> {
    const tableText = decimal(table, MAX_U32, 'a table');
    const args = [familyFlag(family), 'route', 'show', 'table', tableText];
    try {
      return parseRoutes(await this.#read(args, `The routes of table ${table}`), family, table);
    } catch (error) {
      // A table exists while it has routes.
      if (error instanceof HalError && error.code === 'ENOENT' && /FIB table/.test(error.message)) return [];
      throw error;
    }
  }

  async rules(family: 4 | 6): Promise<readonly Rule[]> {
    return parseRules(await this.#read([familyFlag(family), 'rule', 'show'], 'The rules'), family);
  }

  async sourceAddress(remote: string, mark: number): Promise<string | undefined> {
    const family = familyFlag(familyOf(plainAddress(remote)));
    const markArguments = mark === 0 ? [] : ['mark', decimal(mark, MAX_U32, 'a mark')];
    const args = [family, 'route', 'get', remote, ...markArguments];
    try {
      return parsePreferredSource(await this.#read(args, `The way to ${remote}`));
    } catch (error) {
      if (error instanceof HalError && NO_WAY.has(error.code)) return undefined;
      throw error;
    }
  }

  async setUp(device: string, up: boolean): Promise<void> {
    assertInterfaceName(device);
    const state = up ? 'up' : 'down';
    await this.#change(['link', 'set', 'dev', device, state], `The interface ${device} cannot be set ${state}`);
  }

  async setMtu(device: string, mtu: number): Promise<void> {
    assertInterfaceName(device);
    const args = ['link', 'set', 'dev', device, 'mtu', decimal(mtu, MAX_U32, 'an MTU')];
    await this.#change(args, `The MTU of ${device} cannot be set to ${mtu}`);
  }

  async addAddress(device: string, address: string): Promise<void> {
    assertInterfaceName(device);
    addressWithLength(address);
    const args = [familyFlag(familyOf(address)), 'address', 'add', address, 'dev', device];
    await this.#change(args, `The address ${address} cannot be added to ${device}`);
  }

  async addPeerAddress(device: string, address: string, peer: string): Promise<void> {
    assertInterfaceName(device);
    const family = familyFlag(familyOf(plainAddress(address)));
    const args = [family, 'address', 'add', address, 'peer', plainAddress(peer), 'dev', device];
    await this.#change(args, `The address ${address} with peer ${peer} cannot be added to ${device}`);
  }

  async removeAddress(device: string, address: string): Promise<void> {
    assertInterfaceName(device);
    addressWithLength(address);
    const what = `The address ${address} cannot be removed from ${device}`;
    const family = familyFlag(familyOf(address));
    try {
      await this.#change([family, 'address', 'del', address, 'dev', device], what);
    } catch (error) {
      // IPv4 finds a point-to-point address only when its peer is named too.
      const peer = isAddressMissing(error) ? await this.#peerOf(device, address) : undefined;
      if (peer === undefined) throw error;
      const [local = '', length = ''] = address.split('/');
      await this.#change([family, 'address', 'del', local, 'peer', `${peer}/${length}`, 'dev', device], what);
    }
  }

  async replaceRoute(route: Route): Promise<void> {
    const args = [familyFlag(familyOf(route.prefix)), 'route', 'replace', ...routeArguments(route)];
    await this.#change(args, `The route to ${route.prefix} cannot be set in table ${route.table}`);
  }

  async removeRoute(route: Route): Promise<void> {
    const args = [familyFlag(familyOf(route.prefix)), 'route', 'del', ...routeArguments(route)];
    await this.#change(args, `The route to ${route.prefix} cannot be removed from table ${route.table}`);
  }

  async addRule(rule: Rule): Promise<void> {
    const args = [familyFlag(rule.family), 'rule', 'add', ...ruleArguments(rule)];
    await this.#change(args, `The rule of priority ${rule.priority} cannot be added`);
  }

  async removeRule(rule: Rule): Promise<void> {
    const args = [familyFlag(rule.family), 'rule', 'del', ...ruleArguments(rule)];
    await this.#change(args, `The rule of priority ${rule.priority} cannot be removed`);
  }

  getSysctl(key: string): Promise<string> {
    return this.#inTurn(() => readSysctl(key));
  }

  setSysctl(key: string, value: string): Promise<void> {
    return this.#inTurn(() => writeSysctl(key, value));
  }

  async #peerOf(device: string, address: string): Promise<string | undefined> {
    const found = parseAddresses(await this.#read(['address', 'show'], 'The addresses'));
    return found.find((entry) => entry.device === device && entry.address === address)?.peer;
  }

  /** @param subject what is read, as the beginning of a sentence. */
  #read(args: readonly string[], subject: string): Promise<string> {
    return this.#ip(['-j', '-N', ...args], `${subject} cannot be read`);
  }

  /** @param failure the beginning of the sentence when it fails. */
  async #change(args: readonly string[], failure: string): Promise<void> {
    await this.#ip(args, failure);
  }

  #ip(args: readonly string[], failure: string): Promise<string> {
    return this.#inTurn(async () => {
      const result = await runProgram('ip', args, 'iproute2');
      if (result.status === 0) return result.stdout;
      throw refused(failure, result.stderr);
    });
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task, task);
    this.#last = turn;
    return turn;
  }
}

function isAddressMissing(error: unknown): boolean {
  return error instanceof HalError && error.code === 'EADDRNOTAVAIL';
}

function refused(failure: string, stderr: string): HalError {
  const code = errorCodeOf(stderr);
  const text = errorTextOf(stderr);
  const what = `${failure} (${code === '' ? text : `${code}: ${text}`}).`;
  const next = remedy(code);
  return new HalError(next === '' ? what : `${what} ${next}`, code);
}

function remedy(code: string): string {
  switch (code) {
    case 'EPERM':
      return passesCapabilityOn('CAP_NET_ADMIN') ? explainDenied('CAP_NET_ADMIN') : capabilityAdvice(['CAP_NET_ADMIN']);
    case 'EEXIST':
      return 'It is there already.';
    case 'ENODEV':
      return 'There is no such network interface: check its name, and that it exists already.';
    case 'EADDRNOTAVAIL':
    case 'ESRCH':
    case 'ENOENT':
      return 'It is not there.';
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return 'The gateway is not on a network of this machine: check its address and that of the interface.';
    case 'ENETDOWN':
      return 'The interface is down: set it up first.';
    case 'EINVAL':
      return 'The kernel does not take the value: check it.';
    default:
      return '';
  }
}
