/** Links, addresses, routes and rules through the program `ip` and its JSON output. */
import { HalError } from '../hal-error.ts';
import { decimal, familyOf, MAX_U32, plainAddress } from '../ip-arguments.ts';
import type { Link, LinkAddress, LinkChange, Links, NetworkState, Route, Rule, Vlan } from '../links.ts';
import { applyBatched } from './ip-batch.ts';
import {
  hasParents,
  parseAddresses,
  parseAllRoutes,
  parseLinks,
  parsePreferredSource,
  parseRoutes,
  parseRules,
  parseVlans,
} from './ip-json.ts';
import { refused } from './ip-refusal.ts';
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

  /** Two processes: the rules of IPv6 alone need one of their own. */
  async state(): Promise<NetworkState> {
    const [all, ofIpv6] = await Promise.all([
      this.#readBatch([], ['address show', 'route show table all', 'rule show'], 'The network'),
      this.#readBatch(['-6'], ['rule show'], 'The rules').catch(() => ['']),
    ]);
    const [addresses = '', routes = '', rules = ''] = all;
    return {
      ...(await this.#withVlans(addresses)),
      routes: parseAllRoutes(routes),
      rules: [...parseRules(rules, 4), ...parseRules(ofIpv6[0] ?? '', 6)],
    };
  }

  async links(): Promise<readonly Link[]> {
    const output = await this.#read(['link', 'show'], 'The network interfaces');
    return withVlans(parseLinks(output), await this.#vlans(output));
  }

  async addresses(): Promise<readonly LinkAddress[]> {
    return (await this.linksAndAddresses()).addresses;
  }

  async linksAndAddresses(): Promise<Pick<NetworkState, 'links' | 'addresses'>> {
    return this.#withVlans(await this.#read(['address', 'show'], 'The addresses'));
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

  apply(changes: readonly LinkChange[]): Promise<readonly (HalError | undefined)[]> {
    return this.#inTurn(async () => {
      const errors = await applyBatched(changes, writeSysctl);
      for (const [index, error] of errors.entries()) {
        const change = changes[index];
        // IPv4 finds a point-to-point address only when its peer is named too.
        if (change?.kind !== 'remove-address' || error?.code !== 'EADDRNOTAVAIL') continue;
        const peer = await this.#peerOf(change.device, change.address);
        if (peer !== undefined) [errors[index]] = await applyBatched([{ ...change, peer }], writeSysctl);
      }
      return errors;
    });
  }

  setUp(device: string, up: boolean): Promise<void> {
    return this.#change({ kind: 'set-up', device, up });
  }

  setMtu(device: string, mtu: number): Promise<void> {
    return this.#change({ kind: 'set-mtu', device, mtu });
  }

  setMac(device: string, mac: string): Promise<void> {
    return this.#change({ kind: 'set-mac', device, mac });
  }

  addVlan(device: string, vlan: Vlan): Promise<void> {
    return this.#change({ kind: 'add-vlan', device, vlan });
  }

  removeVlan(device: string): Promise<void> {
    return this.#change({ kind: 'remove-link', device });
  }

  addAddress(device: string, address: string): Promise<void> {
    return this.#change({ kind: 'add-address', device, address });
  }

  addPeerAddress(device: string, address: string, peer: string): Promise<void> {
    return this.#change({ kind: 'add-address', device, address, peer });
  }

  removeAddress(device: string, address: string): Promise<void> {
    return this.#change({ kind: 'remove-address', device, address });
  }

  replaceRoute(route: Route): Promise<void> {
    return this.#change({ kind: 'replace-route', route });
  }

  removeRoute(route: Route): Promise<void> {
    return this.#change({ kind: 'remove-route', route });
  }

  addRule(rule: Rule): Promise<void> {
    return this.#change({ kind: 'add-rule', rule });
  }

  removeRule(rule: Rule): Promise<void> {
    return this.#change({ kind: 'remove-rule', rule });
  }

  getSysctl(key: string): Promise<string> {
    return this.#inTurn(() => readSysctl(key));
  }

  setSysctl(key: string, value: string): Promise<void> {
    return this.#inTurn(() => writeSysctl(key, value));
  }

  /** Within the turn of {@link apply}. */
  async #peerOf(device: string, address: string): Promise<string | undefined> {
    const result = await runProgram('ip', ['-j', 'address', 'show'], 'iproute2');
    if (result.status !== 0) return undefined;
    return parseAddresses(result.stdout).find((entry) => entry.device === device && entry.address === address)?.peer;
  }

  /** What each of the questions was answered; every answer is one line. @throws HalError. */
  async #readBatch(options: readonly string[], questions: readonly string[], subject: string): Promise<string[]> {
    const args = ['-j', '-N', ...options, '-batch', '-'];
    const output = await this.#ip(args, `${subject} cannot be read`, `${questions.join('\n')}\n`);
    return output.split('\n').filter((line) => line !== '');
  }

  /** @param subject what is read, as the beginning of a sentence. */
  #read(args: readonly string[], subject: string): Promise<string> {
    return this.#ip(['-j', '-N', ...args], `${subject} cannot be read`);
  }

  /** @param output of `address show`, which tells of the links as well. */
  async #withVlans(output: string): Promise<Pick<NetworkState, 'links' | 'addresses'>> {
    const { links, addresses } = linksAndAddresses(output);
    return { links: withVlans(links, await this.#vlans(output)), addresses };
  }

  /** A process of its own, where something has a parent: only the long form tells the number of a VLAN. */
  async #vlans(output: string): Promise<ReadonlyMap<string, Vlan>> {
    if (!hasParents(output)) return new Map();
    const result = await this.#inTurn(() => runProgram('ip', ['-j', '-d', 'link', 'show'], 'iproute2'));
    return result.status === 0 ? parseVlans(result.stdout) : new Map();
  }

  async #change(change: LinkChange): Promise<void> {
    const [error] = await this.apply([change]);
    if (error !== undefined) throw error;
  }

  /** @param failure the beginning of the sentence when it fails. */
  #ip(args: readonly string[], failure: string, input = ''): Promise<string> {
    return this.#inTurn(async () => {
      const result = await runProgram('ip', args, 'iproute2', input);
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

/** @param output of `address show`, which tells of the links as well. */
function linksAndAddresses(output: string): Pick<NetworkState, 'links' | 'addresses'> {
  const addresses = parseAddresses(output).map(({ device, address }) => ({ device, address }));
  return { links: parseLinks(output), addresses };
}

function withVlans(links: readonly Link[], vlans: ReadonlyMap<string, Vlan>): readonly Link[] {
  return vlans.size === 0
    ? links
    : links.map((link) => {
        const vlan = vlans.get(link.name);
        return vlan === undefined ? link : { ...link, vlan };
      });
}

function familyFlag(family: 4 | 6): string {
  return family === 4 ? '-4' : '-6';
}
