import type { Clock } from '../../hal/clock.ts';
import type { Configuration } from '../config/schema.ts';
import type { SocketId } from '../dataplane/data-plane.ts';
import { NameResolver, type NameResolverOutput } from '../network/name-resolver.ts';
import type { ResolvedNames } from '../network/resolved-names.ts';
import { uplinkDnsServers } from '../network/uplink-dns.ts';
import { canonicalIp } from '../protocol/ip-address.ts';
import type { Failure, RandomSource } from '../protocol/machine.ts';
import type { DataPlaneDispatch } from '../vpn/data-plane-dispatch.ts';
import { MachineRunner } from '../vpn/machine-runner.ts';
import { internalFailure } from '../vpn/steps.ts';

export interface UplinkResolverParts {
  readonly dispatch: DataPlaneDispatch;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** SO_MARK: a query never goes through a tunnel. */
  readonly mark: number;
  /** The uplink that carries the traffic, as far as it is known: its address, and its DNS servers. */
  readonly uplink?: () => { readonly address: string; readonly dns: readonly string[] } | undefined;
  readonly names: ResolvedNames;
  /** The operating system's resolv.conf, read anew each time: the uplink's DHCP client may have changed it. */
  readonly resolvConf: () => Promise<string>;
}

/** Finds the addresses of VPN servers through the uplink's DNS, and remembers them for the day when DNS is down. */
export class UplinkResolver {
  readonly #parts: UplinkResolverParts;

  constructor(parts: UplinkResolverParts) {
    this.#parts = parts;
  }

  /** Addresses in the order in which they shall be tried; never rejects. */
  resolve(name: string, configuration: Configuration): Promise<readonly string[] | Failure> {
    return this.#resolve(name, configuration, (addresses) => this.#remember(name, addresses));
  }

  /** The same for a name that somebody asks about, and that is no server of ours: nothing is remembered of it. */
  lookUp(name: string, configuration: Configuration): Promise<readonly string[] | Failure> {
    return this.#resolve(name, configuration, async (addresses) => addresses);
  }

  async #resolve(
    name: string,
    configuration: Configuration,
    found: (addresses: readonly string[]) => Promise<readonly string[]>,
  ): Promise<readonly string[] | Failure> {
    const literal = canonicalIp(name);
    if (literal !== undefined) return [literal];
    const { names, resolvConf } = this.#parts;
    const servers = uplinkDnsServers(configuration, await resolvConf(), this.#parts.uplink?.()?.dns);
    const result = await this.#ask(name, servers, 4);
    if (!isFailure(result)) return await found(result);
    const before = names.get(name);
    if (before.length > 0) return before;
    // Asked apart, so that a DNS server which answers nothing but A cannot delay those many names that have one.
    const second = await this.#ask(name, servers, 6);
    return isFailure(second) ? result : await found(second);
  }

  async #remember(name: string, addresses: readonly string[]): Promise<readonly string[]> {
    // A full disk must not keep the branch offline.
    await this.#parts.names.remember(name, addresses).catch(() => undefined);
    return addresses;
  }

  async #ask(name: string, servers: readonly string[], family: 4 | 6): Promise<readonly string[] | Failure> {
    const { clock, random } = this.#parts;
    const answer = Promise.withResolvers<readonly string[] | Failure>();
    const sockets = new Map<4 | 6, Promise<SocketId>>();
    const machine = new NameResolver({ name, servers, families: [family], random, now: clock.now() });
    const handle = (output: NameResolverOutput): void => {
      if (output.kind === 'done') answer.resolve(output.addresses);
      else if (output.kind === 'failed') answer.resolve(output.failure);
      else void send(output).catch(() => undefined); // its time-out tells
    };
    const runner = new MachineRunner(machine, clock, handle, (error) => answer.resolve(internalFailure(error)));
    const send = async ({ server, datagram }: Extract<NameResolverOutput, { kind: 'send' }>): Promise<void> => {
      const family = server.address.includes(':') ? 6 : 4;
      const socket = sockets.get(family) ?? this.#open(family, runner, machine);
      sockets.set(family, socket);
      // From its address, so that it stays on the uplink whose server it asks.
      const own = family === 4 ? this.#parts.uplink?.()?.address : undefined;
      const local = { address: own ?? (family === 4 ? '0.0.0.0' : '::'), port: 0 };
      this.#parts.dispatch.dataPlane.sendDatagram(await socket, { remote: server, local }, datagram);
    };
    runner.run(() => undefined);
    try {
      return await answer.promise;
    } finally {
      runner.stop();
      for (const socket of sockets.values()) await socket.then((id) => this.#close(id)).catch(() => undefined);
    }
  }

  async #open(family: 4 | 6, runner: MachineRunner<NameResolverOutput>, machine: NameResolver): Promise<SocketId> {
    const { dispatch, mark } = this.#parts;
    const id = dispatch.nextId();
    const address = family === 4 ? '0.0.0.0' : '::';
    // Port 0: a port nobody can foretell is half of what keeps a forged answer out.
    await dispatch.dataPlane.openSocket({ id, purpose: 'datagram', family, address, port: 0, mark });
    dispatch.ownSocket(id, (event) => {
      if (event.kind === 'datagram') runner.run((now) => machine.receive(now, event.path.remote, event.bytes));
    });
    return id;
  }

  async #close(id: SocketId): Promise<void> {
    const { dispatch } = this.#parts;
    dispatch.disownSocket(id);
    await dispatch.dataPlane.closeSocket(id);
  }
}

function isFailure(result: readonly string[] | Failure): result is Failure {
  return !Array.isArray(result);
}
