/** Callers that all have the address 192.168.1.10, behind NATs, and the server that they call. */
import type { ChildSa, IkeConnection, IkeOutput } from '../../../../firmware/protocol/ike/ike-types.ts';
import { IkeV1Endpoint } from '../../../../firmware/protocol/ike/v1/endpoint.ts';
import { IkeV2Endpoint } from '../../../../firmware/protocol/ike/v2/endpoint.ts';
import type { UdpEndpoint } from '../../../../firmware/protocol/udp-path.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { l2tpClient, l2tpServer } from './v1/setup.ts';
import { FAST_ESP, FAST_IKE, type OutputOf, SaTable } from './v2/harness.ts';

type Endpoint = IkeV1Endpoint | IkeV2Endpoint;

export const PRIVATE = '192.168.1.10';
const SERVER_PUBLIC = '203.0.113.1';
const FAST_V2 = { version: 2, ikeProposals: [FAST_IKE], espProposals: [FAST_ESP] } as const;

/** What a NAT makes of a caller: its address, and how far ports are moved. */
export interface Outside {
  readonly address: string;
  readonly offset: number;
}

class End {
  readonly table = new SaTable();
  readonly events: IkeOutput[] = [];

  note(output: IkeOutput): void {
    this.events.push(output);
    this.table.apply(output);
  }

  all<Kind extends IkeOutput['kind']>(kind: Kind): OutputOf<Kind>[] {
    return this.events.filter((event): event is OutputOf<Kind> => event.kind === kind);
  }
}

export class Caller extends End {
  outside: Outside;
  endpoint: Endpoint;

  constructor(outside: Outside, endpoint: Endpoint) {
    super();
    this.outside = outside;
    this.endpoint = endpoint;
  }

  seen(port: number): UdpEndpoint {
    return { address: this.outside.address, port: port + this.outside.offset };
  }
}

export class World {
  now = 1_000_000;
  readonly server: Endpoint;
  readonly serverEnd = new End();
  readonly callers: readonly Caller[];
  readonly #version: 1 | 2;
  readonly #serverAddress: string;
  #seed = 100;

  /** @param serverAddress as the server knows it: another one than the public one where a NAT is before it. */
  constructor(version: 1 | 2, outsides: readonly Outside[], serverAddress = SERVER_PUBLIC) {
    this.#version = version;
    this.#serverAddress = serverAddress;
    const server = l2tpServer(version === 2 ? FAST_V2 : {});
    this.server = this.#endpoint(server);
    this.callers = outsides.map((outside) => new Caller(outside, this.#callerEndpoint()));
  }

  #endpoint(connection: IkeConnection): Endpoint {
    this.#seed += 1;
    const options = { connections: [connection], encapsulateAmongOurselves: false };
    const random = new SeededRandom(this.#seed);
    return this.#version === 1 ? new IkeV1Endpoint(options, random) : new IkeV2Endpoint(options, random);
  }

  #callerEndpoint(): Endpoint {
    const own = { remote: SERVER_PUBLIC };
    return this.#endpoint(l2tpClient(this.#version === 2 ? { ...own, ...FAST_V2 } : own));
  }

  /** The power goes off and on again. */
  reboot(caller: Caller): void {
    caller.endpoint = this.#callerEndpoint();
    caller.table.children.clear();
    caller.table.sending = undefined;
  }

  call(caller: Caller): void {
    const local = { address: PRIVATE, port: 500 };
    caller.endpoint.initiate(this.now, 'client', { local, remote: { address: SERVER_PUBLIC, port: 500 } });
    this.run(2000);
  }

  run(ms: number): void {
    const end = this.now + ms;
    for (; this.now < end; this.now += 250) {
      for (const endpoint of [this.server, ...this.callers.map((caller) => caller.endpoint)]) endpoint.tick(this.now);
      this.#pump();
    }
  }

  /** The child SA of the server's in which a caller's packets arrive. */
  arrivesIn(caller: Caller): ChildSa | undefined {
    return this.serverEnd.table.byInboundSpi(caller.table.outboundSpi);
  }

  #pump(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const caller of this.callers) {
        for (let output = caller.endpoint.poll(); output !== undefined; output = caller.endpoint.poll()) {
          busy = true;
          this.#toServer(caller, output);
        }
      }
      for (let output = this.server.poll(); output !== undefined; output = this.server.poll()) {
        busy = true;
        this.#fromServer(output);
      }
    }
  }

  #toServer(caller: Caller, output: IkeOutput): void {
    if (output.kind !== 'send') caller.note(output);
    else {
      const { local, remote } = output.path;
      const own = { address: this.#serverAddress, port: remote.port };
      this.server.receive(this.now, output.datagram, { local: own, remote: caller.seen(local.port) });
    }
  }

  #fromServer(output: IkeOutput): void {
    if (output.kind !== 'send') {
      this.serverEnd.note(output);
      return;
    }
    const { local, remote } = output.path;
    for (const { outside, endpoint } of this.callers) {
      const port = [500, 4500].find((inside) => inside + outside.offset === remote.port);
      if (outside.address !== remote.address || port === undefined) continue;
      const seen = { address: SERVER_PUBLIC, port: local.port };
      endpoint.receive(this.now, output.datagram, { local: { address: PRIVATE, port }, remote: seen });
    }
  }
}
