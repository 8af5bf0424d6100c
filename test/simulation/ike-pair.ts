/** A caller and a called one, of either version, joined by a network in virtual time, with or without a NAT between. */
import type { IkeConnection } from '../../firmware/protocol/ike/ike-types.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { IkeHost } from './ike-host.ts';
import { LossyNetwork, PortNat, type Weather } from './lossy-network.ts';

const CALLER = '10.20.0.9';
const CALLED = '192.0.2.2';
const NAT = '198.51.100.7';

export const GOOD_WEATHER: Weather = { loss: 0, duplicate: 0, delay: [5, 20] };

/** Time between two ESP packets of one side, ms. */
const ESP_EVERY_MS = 3000;

export interface IkePairOptions {
  readonly version: 1 | 2;
  readonly seed: number;
  readonly weather: Weather;
  readonly nat: boolean;
  /** Seconds, the same on both sides. */
  readonly ikeLifetime: number;
  readonly childLifetime: number;
  readonly dpdSeconds: number;
  readonly encapsulateAmongOurselves: boolean;
  /** Time between two ESP packets of one side, ms. Default 3000. */
  readonly espEveryMs?: number;
  /** What both sides do. Default: fast ones. */
  readonly proposals?: Pick<IkeConnection, 'ikeProposals' | 'espProposals'>;
  /** What the called one does, if not the same. */
  readonly calledProposals?: Pick<IkeConnection, 'ikeProposals' | 'espProposals'>;
}

const FAST: Record<1 | 2, Pick<IkeConnection, 'ikeProposals' | 'espProposals'>> = {
  1: {
    ikeProposals: [{ encryption: 'aes128', integrity: 'sha256', prf: 'sha256', group: 'ecp256' }],
    espProposals: [{ encryption: 'aes128', integrity: 'sha1', esn: false }],
  },
  2: {
    ikeProposals: [{ encryption: 'aes128gcm16', prf: 'sha256', group: 'x25519' }],
    espProposals: [{ encryption: 'aes128gcm16', esn: false }],
  },
};

export class IkePair {
  readonly network: LossyNetwork;
  readonly nat = new PortNat(NAT);
  readonly caller: IkeHost;
  readonly called: IkeHost;
  /** Looked at whenever somebody sends ESP. */
  watch: (host: IkeHost, other: IkeHost) => void = () => undefined;

  constructor(options: IkePairOptions) {
    const { version, seed, encapsulateAmongOurselves, ikeLifetime, childLifetime, dpdSeconds } = options;
    this.network = new LossyNetwork(new SeededRandom(seed), options.weather);
    if (options.nat) this.network.hide(CALLER, this.nat);
    const common = {
      version,
      authentication: { kind: 'psk', key: new TextEncoder().encode('a key for the simulation') },
      mode: 'transport',
      ikeLifetime,
      childLifetime,
      dpdSeconds,
      ...(options.proposals ?? FAST[version]),
    } as const;
    this.caller = new IkeHost(this.network, {
      version,
      seed: seed * 2 + 1_000_000,
      address: CALLER,
      encapsulateAmongOurselves,
      connection: {
        ...common,
        name: 'office',
        remote: CALLED,
        transportPorts: { protocol: 17, local: 1701, remote: 1701 },
      },
    });
    this.called = new IkeHost(this.network, {
      version,
      seed: seed * 2 + 1_000_001,
      address: CALLED,
      encapsulateAmongOurselves,
      connection: {
        ...common,
        ...(options.calledProposals ?? {}),
        name: 'callers',
        remote: 'any',
        transportPorts: { protocol: 17, local: 1701, remote: 0 },
      },
    });
    for (const [host, other] of [
      [this.caller, this.called],
      [this.called, this.caller],
    ] as const) {
      const send = (): void => {
        this.watch(host, other);
        host.sendEsp();
        this.network.at(this.network.now + (options.espEveryMs ?? ESP_EVERY_MS), send);
      };
      this.network.at(0, send);
    }
  }

  get hosts(): readonly [IkeHost, IkeHost] {
    return [this.caller, this.called];
  }

  /** Each side opens what the other one sends. */
  get up(): boolean {
    return this.called.opens(this.caller) && this.caller.opens(this.called);
  }

  /** One IKE SA on either side, and the same children. */
  get agreed(): boolean {
    if (!this.up || this.hosts.some(({ established }) => established !== 1)) return false;
    return this.caller.spis.join() === this.called.mirroredSpis.join();
  }

  /**
   * Calls again whenever an attempt has failed, until each side has heard the other by ESP: before, one of them may have
   * been given up by the other and not know it. @returns whether that was so by `limit`, ms.
   */
  connect(limit: number): boolean {
    const connected = (): boolean =>
      this.up && this.hosts.every(({ sendingChild }) => (sendingChild?.highest ?? 0) > 0);
    while (!connected() && this.network.now < limit) {
      if (this.caller.up.size === 0 && this.caller.endpoint.idle) {
        const path = { local: { address: CALLER, port: 500 }, remote: { address: CALLED, port: 500 } };
        this.caller.run((now) => this.caller.endpoint.initiate(now, 'office', path));
      }
      const next = Math.min(limit, this.network.now + 1000);
      this.network.runUntil(next, connected);
    }
    return connected();
  }

  /** Each side begins at the same instant. */
  rekeyChildren(hosts: readonly IkeHost[] = this.hosts): void {
    for (const host of hosts) {
      const { sending } = host;
      if (sending !== undefined) host.run((now) => host.endpoint.rekeyChild(now, sending));
    }
  }

  rekeyIke(hosts: readonly IkeHost[] = this.hosts): void {
    for (const host of hosts) for (const id of [...host.up]) host.run((now) => host.endpoint.rekeyIke(now, id));
  }

  run(ms: number): void {
    this.network.runUntil(this.network.now + ms, () => false);
  }
}
