/** IPsec machines joined by a network in memory, each with a model of the data plane that checks what it is told. */
import type { SaKey } from '../../../../firmware/dataplane/data-plane.ts';
import type { Instant } from '../../../../firmware/protocol/machine.ts';
import { sameEndpoint, type UdpEndpoint, type UdpPath } from '../../../../firmware/protocol/udp-path.ts';
import { IpsecMachine, type IpsecMachineOptions } from '../../../../firmware/vpn/ipsec/ipsec-machine.ts';
import type { ChannelPolicy, ChannelSa, IpsecOutput } from '../../../../firmware/vpn/ipsec/ipsec-output.ts';
import type {
  IpsecAuthentication,
  IpsecConnectionSettings,
  WorkingOffer,
} from '../../../../firmware/vpn/ipsec/ipsec-types.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

type OutputOf<Kind extends IpsecOutput['kind']> = Extract<IpsecOutput, { kind: Kind }>;

export const FAST_IKE_V1 = { encryption: 'aes128', integrity: 'sha256', prf: 'sha256', group: 'ecp256' } as const;
export const FAST_IKE_V2 = { encryption: 'aes128gcm16', prf: 'sha256', group: 'x25519' } as const;
export const FAST_ESP_V1 = { encryption: 'aes128', integrity: 'sha1', esn: false } as const;
export const FAST_ESP_V2 = { encryption: 'aes128gcm16', esn: false } as const;

export function psk(text: string): IpsecAuthentication {
  return { kind: 'psk', psk: text };
}

/** A connection with algorithms that cost little time. */
export function settings(version: 1 | 2, more: Partial<IpsecConnectionSettings> = {}): IpsecConnectionSettings {
  return {
    name: 'hq',
    version,
    remote: OFFICE,
    authentication: psk('a key that is shared'),
    mode: 'transport',
    profile: 'auto',
    ikeProposals: [version === 1 ? FAST_IKE_V1 : FAST_IKE_V2],
    espProposals: [version === 1 ? FAST_ESP_V1 : FAST_ESP_V2],
    encapsulation: 'auto',
    ikeLifetime: 14_400,
    childLifetime: 3600,
    dpdSeconds: 10,
    ...more,
  };
}

export function servedSettings(version: 1 | 2, more: Partial<IpsecConnectionSettings> = {}): IpsecConnectionSettings {
  return settings(version, { name: 'callers', remote: 'any', ...more });
}

export const BRANCH = '192.0.2.1';
export const OFFICE = '192.0.2.2';
export const PORTS = { local: 1701, remote: 1701 } as const;

/** One machine, and what a data plane would hold. */
export class TestSite {
  /** It may move. */
  address: string;
  readonly machine: IpsecMachine;
  readonly policies = new Map<number, ChannelPolicy>();
  readonly sas = new Map<SaKey, ChannelSa>();
  readonly up = new Map<number, OutputOf<'channel-up'>>();
  readonly outputs: IpsecOutput[] = [];
  readonly memory = new Map<string, WorkingOffer>();
  /** Pairs by which a packet has come in. */
  readonly heard = new Set<SaKey>();
  #lastId: number;

  constructor(address: string, seed: number, options: Partial<IpsecMachineOptions> = {}) {
    this.address = address;
    this.#lastId = seed * 100_000;
    const newId = (): number => this.newId();
    const remembered = (connection: string): WorkingOffer | undefined => this.memory.get(connection);
    this.machine = new IpsecMachine(
      { newId, remembered, wall: () => ({ at: 0, trusted: true }), ...options },
      new SeededRandom(seed),
    );
  }

  newId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** What the data plane would be told, checked against what it holds. */
  apply(output: IpsecOutput): void {
    this.outputs.push(output);
    switch (output.kind) {
      case 'put-policy': {
        const { sa, key } = output.policy;
        if (sa !== undefined && this.sas.get(sa)?.policy !== key) throw new Error(`policy ${key} names SA ${sa}`);
        this.policies.set(key, output.policy);
        return;
      }
      case 'remove-policy':
        this.up.delete(output.channel);
        if (!this.policies.delete(output.channel)) throw new Error(`there is no policy ${output.channel}`);
        for (const { policy } of this.sas.values()) if (policy === output.channel) throw new Error('an SA is left');
        return;
      case 'put-sa': {
        const { sa } = output;
        if (!this.policies.has(sa.policy)) throw new Error(`SA ${sa.key} has no policy`);
        for (const other of this.sas.values()) {
          if (other.key !== sa.key && other.inbound.spi === sa.inbound.spi) throw new Error('an SPI is used twice');
        }
        this.sas.set(sa.key, sa);
        return;
      }
      case 'remove-sa':
        if (!this.sas.delete(output.sa)) throw new Error(`there is no SA ${output.sa}`);
        for (const { sa, key } of this.policies.values()) {
          if (sa === output.sa) throw new Error(`policy ${key} still sends by it`);
        }
        return;
      case 'channel-up':
        this.up.set(output.channel, output);
        return;
      case 'channel-down':
        this.up.delete(output.channel);
        return;
      case 'remember':
        this.memory.set(output.connection, output.offer);
        return;
    }
  }

  all<Kind extends IpsecOutput['kind']>(kind: Kind): readonly OutputOf<Kind>[] {
    return this.outputs.filter((output): output is OutputOf<Kind> => output.kind === kind);
  }

  last<Kind extends IpsecOutput['kind']>(kind: Kind): OutputOf<Kind> {
    const found = this.all(kind).at(-1);
    if (found === undefined) throw new Error(`there was no ${kind}`);
    return found;
  }

  /** The pair by which a policy sends. */
  sending(channel: number): ChannelSa | undefined {
    const key = this.policies.get(channel)?.sa;
    return key === undefined ? undefined : this.sas.get(key);
  }
}

interface Flying {
  readonly from: TestSite;
  /** A message of IKE, or a packet of ESP that was sent by this pair. */
  readonly content: Uint8Array | ChannelSa;
  readonly path: UdpPath;
  readonly at: Instant;
}

/** How long a datagram takes, ms. */
const LATENCY_MS = 5;

/** Rounds without any progress of time that are not a fault. */
const MAX_STILL = 200;

export class TestNetwork {
  readonly sites: readonly TestSite[];
  now: Instant = 1_000_000;
  /** What a NAT makes of the source of a datagram, and, of its destination, which site that is. */
  translate: (end: UdpEndpoint) => UdpEndpoint = (end) => end;
  restore: (end: UdpEndpoint) => UdpEndpoint = (end) => end;
  /** Datagrams that get lost. */
  lost: (from: TestSite, path: UdpPath) => boolean = () => false;
  /**
   * Every channel that is up sends a packet whenever anything happens; the peer must have the SA when it arrives. Packets
   * that the peer could not open are counted here.
   */
  traffic = false;
  packets = 0;
  unopened = 0;
  #flying: Flying[] = [];

  constructor(...sites: readonly TestSite[]) {
    this.sites = sites;
  }

  /** Takes what the machines want done. */
  settle(): void {
    let anything = false;
    for (const from of this.sites) {
      for (let output = from.machine.poll(); output !== undefined; output = from.machine.poll()) {
        anything = true;
        from.apply(output);
        if (output.kind !== 'send') continue;
        const { datagram, path } = output;
        if (!this.lost(from, path)) this.#flying.push({ from, content: datagram, path, at: this.now + LATENCY_MS });
      }
    }
    if (this.traffic && anything) this.#sendPackets();
  }

  /** Virtual time. */
  run(seconds: number): void {
    const until = this.now + seconds * 1000;
    for (let still = 0, before = this.now; still < MAX_STILL; still = this.now > before ? 0 : still + 1) {
      before = this.now;
      this.settle();
      const deadlines = this.sites.map(({ machine }) => machine.nextDeadline() ?? Number.POSITIVE_INFINITY);
      const next = Math.min(...deadlines, ...this.#flying.map(({ at }) => at));
      if (next > until) {
        this.now = until;
        return;
      }
      this.now = Math.max(this.now, next);
      const arrived = this.#flying.filter(({ at }) => at <= this.now);
      this.#flying = this.#flying.filter(({ at }) => at > this.now);
      for (const one of arrived) this.#deliver(one);
      for (const { machine } of this.sites) {
        if ((machine.nextDeadline() ?? Number.POSITIVE_INFINITY) <= this.now) machine.tick(this.now);
      }
    }
    throw new Error('a deadline is in the past for ever');
  }

  /** No datagram is on its way. */
  get quiet(): boolean {
    return this.#flying.length === 0;
  }

  #sendPackets(): void {
    for (const from of this.sites) {
      for (const channel of from.up.keys()) {
        const sa = from.sending(channel);
        if (sa === undefined) throw new Error(`channel ${channel} of ${from.address} is up and cannot send`);
        const known = this.#flying.some(({ content, at }) => content === sa && at === this.now + LATENCY_MS);
        if (!known) this.#flying.push({ from, content: sa, path: sa.path, at: this.now + LATENCY_MS });
      }
    }
  }

  #deliver({ from, content, path }: Flying): void {
    const local = this.restore(path.remote);
    const to = this.sites.find(({ address }) => address === local.address);
    if (content instanceof Uint8Array)
      to?.machine.receive(this.now, content, { local, remote: this.translate(path.local) });
    else this.#deliverPacket(from, content, to, { local, remote: this.translate(path.local) });
    this.settle();
  }

  #deliverPacket(from: TestSite, sent: ChannelSa, to: TestSite | undefined, path: UdpPath): void {
    this.packets += 1;
    const received = [...(to?.sas.values() ?? [])].find(({ inbound }) => inbound.spi === sent.outbound.spi);
    // What was on its way when its channel ended is of no interest.
    if (received === undefined) this.unopened += from.up.has(sent.policy) ? 1 : 0;
    else if (to !== undefined && !to.heard.has(received.key)) {
      to.heard.add(received.key);
      to.machine.saReceived(this.now, [received.key]);
    }
    if (received?.followPeer && !sameEndpoint(received.path.remote, path.remote)) {
      to?.machine.saMoved(this.now, received.key, path);
    }
  }
}

/** Dials; the id of the channel. */
export function dial(network: TestNetwork, site: TestSite, connection = 'hq', remoteAddress = OFFICE): number {
  const id = site.newId();
  site.machine.dial(network.now, id, { connection, remoteAddress, localAddress: site.address, ports: PORTS });
  network.settle();
  return id;
}
