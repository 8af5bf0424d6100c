/** An IKE endpoint of either version in virtual time, with what a data plane would hold, and ESP that tells on keys. */
import { createHash } from 'node:crypto';
import { ByteReader, ByteWriter, concatBytes, utf8Bytes } from '../../firmware/protocol/bytes.ts';
import type { ChildKeys, ChildSa, IkeConnection, IkeOutput } from '../../firmware/protocol/ike/ike-types.ts';
import { IkeV1Endpoint } from '../../firmware/protocol/ike/v1/endpoint.ts';
import { IkeV2Endpoint } from '../../firmware/protocol/ike/v2/endpoint.ts';
import type { Failure } from '../../firmware/protocol/machine.ts';
import { sameEndpoint, type UdpEndpoint, type UdpPath } from '../../firmware/protocol/udp-path.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import type { LossyNetwork } from './lossy-network.ts';

/** Before IKE on port 4500 (RFC 3948 section 2.2). */
const NON_ESP_MARKER = new Uint8Array(4);
const NAT_PORT = 4500;

interface InstalledChild {
  readonly child: ChildSa;
  /** Of its keys, in hexadecimal. */
  readonly inbound: string;
  readonly outbound: string;
  ikeId: number;
  path: UdpPath;
  sequence: number;
  highest: number;
}

/** SPI, sequence number, and a digest of the keys that it was made with. */
function espPacket({ child, outbound, sequence }: InstalledChild): Uint8Array {
  return new ByteWriter(72).u32(child.outboundSpi).u32(sequence).bytes(utf8Bytes(outbound)).finish();
}

function keyDigest({ encryption, encryptionKey, integrity = '', integrityKey = new Uint8Array(0) }: ChildKeys): string {
  const digest = createHash('sha256').update(encryption).update(encryptionKey).update(integrity).update(integrityKey);
  return digest.digest('hex');
}

export interface IkeHostOptions {
  readonly version: 1 | 2;
  readonly seed: number;
  readonly connection: IkeConnection;
  readonly address: string;
  readonly encapsulateAmongOurselves: boolean;
}

export class IkeHost {
  readonly endpoint: IkeV1Endpoint | IkeV2Endpoint;
  readonly address: string;
  readonly children = new Map<number, InstalledChild>();
  /** IKE SAs that are up. */
  readonly up = new Set<number>();
  readonly failures: Failure[] = [];
  /** What ought not to happen. */
  readonly problems: string[] = [];
  /** The child that is sent on. */
  sending: number | undefined;
  natRemote = false;
  espOpened = 0;
  espLost = 0;
  rekeys = 0;
  wakeUps = 0;
  moves = 0;
  readonly #network: LossyNetwork;
  #wakeUp = 0;

  constructor(network: LossyNetwork, { version, seed, connection, address, ...options }: IkeHostOptions) {
    const connections = [{ ...connection, version }];
    const random = new SeededRandom(seed);
    // Whoever waits for an answer for long is not to be counted as dead in bad weather.
    const limits = { retransmitTries: 8, halfOpenMs: 120_000 };
    this.endpoint =
      version === 1
        ? new IkeV1Endpoint({ ...options, connections }, random)
        : new IkeV2Endpoint({ ...options, connections, limits }, random);
    this.address = address;
    this.#network = network;
    for (const port of [0, 500, NAT_PORT]) {
      network.attach({ address, port }, (bytes, from, to) => this.#receive(bytes, { local: to, remote: from }));
    }
  }

  run(input: (now: number) => void): void {
    const network = this.#network;
    input(network.now);
    for (let output = this.endpoint.poll(); output !== undefined; output = this.endpoint.poll()) this.#apply(output);
    const deadline = this.endpoint.nextDeadline();
    this.#wakeUp += 1;
    const mine = this.#wakeUp;
    if (deadline === undefined) return;
    network.at(Math.max(deadline, network.now), () => {
      if (mine !== this.#wakeUp) return;
      this.wakeUps += 1;
      this.run((now) => this.endpoint.tick(now));
    });
  }

  get sendingChild(): InstalledChild | undefined {
    return this.sending === undefined ? undefined : this.children.get(this.sending);
  }

  /** IKE SAs in use. */
  get established(): number {
    return this.endpoint.views(this.#network.now).filter(({ state }) => state === 'established').length;
  }

  /** Whether it could open what `from` sends at this instant. */
  opens(from: IkeHost): boolean {
    const theirs = from.sendingChild;
    return theirs !== undefined && this.#bySpi(theirs.child.outboundSpi)?.inbound === theirs.outbound;
  }

  /** Both SPIs of each child, this side's inbound one first. */
  get spis(): readonly string[] {
    return [...this.children.values()].map(({ child }) => `${child.inboundSpi} ${child.outboundSpi}`).sort();
  }

  /** The same as the other side would see it. */
  get mirroredSpis(): readonly string[] {
    return [...this.children.values()].map(({ child }) => `${child.outboundSpi} ${child.inboundSpi}`).sort();
  }

  /** Nothing is left of anything. */
  get quiet(): boolean {
    const { endpoint } = this;
    const held = endpoint.views(this.#network.now).length + this.children.size + this.up.size;
    return held === 0 && endpoint.idle && endpoint.nextDeadline() === undefined;
  }

  sendEsp(): void {
    const installed = this.sendingChild;
    if (installed === undefined) return;
    installed.sequence += 1;
    const { child, path } = installed;
    const bare = (end: UdpEndpoint): UdpEndpoint => (child.udpEncapsulation ? end : { ...end, port: 0 });
    this.#network.send(bare(path.local), bare(path.remote), espPacket(installed));
  }

  #bySpi(inboundSpi: number): InstalledChild | undefined {
    for (const installed of this.children.values()) if (installed.child.inboundSpi === inboundSpi) return installed;
    return undefined;
  }

  #receive(bytes: Uint8Array, path: UdpPath): void {
    const onNatPort = path.local.port === NAT_PORT;
    const isIke = path.local.port === 500 || (onNatPort && bytes.subarray(0, 4).every((octet) => octet === 0));
    if (!isIke) this.#receiveEsp(bytes, path);
    else this.run((now) => this.endpoint.receive(now, onNatPort ? bytes.subarray(4) : bytes, path));
  }

  #receiveEsp(bytes: Uint8Array, path: UdpPath): void {
    const reader = new ByteReader(bytes);
    const spi = reader.u32('SPI');
    const sequence = reader.u32('Sequence Number');
    const installed = this.#bySpi(spi);
    if (installed === undefined) {
      this.espLost += 1;
      return;
    }
    const { child } = installed;
    if (Buffer.from(reader.rest()).toString() !== installed.inbound) {
      this.problems.push(`ESP of SPI ${spi} was made with other keys`);
      return;
    }
    this.espOpened += 1;
    if (sequence <= installed.highest) return;
    installed.highest = sequence;
    this.run((now) => this.endpoint.espReceived(now, child.id));
    if (!this.natRemote || sameEndpoint(installed.path.remote, path.remote)) return;
    installed.path = { local: installed.path.local, remote: path.remote };
    this.run((now) => this.endpoint.peerMoved(now, child.id, path));
  }

  #apply(output: IkeOutput): void {
    switch (output.kind) {
      case 'send':
        this.#sendIke(output.datagram, output.path);
        return;
      case 'ike-up':
        if (this.up.has(output.ikeId) && output.replaces === undefined)
          this.problems.push(`IKE SA ${output.ikeId} came up twice`);
        this.#ikeUp(output);
        return;
      case 'ike-down':
        // One that was replaced before goes without a loss.
        if (this.up.delete(output.ikeId) || this.up.size === 0) this.failures.push(output.failure);
        for (const { child, ikeId } of this.children.values()) {
          if (ikeId === output.ikeId) this.problems.push(`child ${child.id} outlives its IKE SA`);
        }
        return;
      case 'child-up':
        this.#childUp(output);
        return;
      case 'child-send':
        if (!this.children.has(output.childId))
          this.problems.push(`child-send of ${output.childId}, which is not there`);
        this.sending = output.childId;
        return;
      case 'child-down':
        if (!this.children.delete(output.childId)) this.problems.push(`child ${output.childId} went down twice`);
        if (this.sending === output.childId) this.sending = [...this.children.keys()].at(-1);
        return;
      case 'path':
        this.moves += 1;
        for (const installed of this.children.values()) {
          if (installed.ikeId === output.ikeId) installed.path = output.path;
        }
    }
  }

  #ikeUp({ ikeId, replaces, peer }: Extract<IkeOutput, { kind: 'ike-up' }>): void {
    this.natRemote = peer.natRemote;
    if (replaces !== undefined) {
      this.rekeys += 1;
      this.up.delete(replaces);
      for (const installed of this.children.values()) if (installed.ikeId === replaces) installed.ikeId = ikeId;
    }
    this.up.add(ikeId);
  }

  #childUp({ child, receiveOnly }: Extract<IkeOutput, { kind: 'child-up' }>): void {
    if (this.#bySpi(child.inboundSpi) !== undefined) this.problems.push(`SPI ${child.inboundSpi} twice`);
    if (!this.up.has(child.ikeId)) this.problems.push(`child ${child.id} of an IKE SA that is not up`);
    this.children.set(child.id, {
      child,
      inbound: keyDigest(child.inbound),
      outbound: keyDigest(child.outbound),
      ikeId: child.ikeId,
      path: child.path,
      sequence: 0,
      highest: 0,
    });
    if (receiveOnly !== true) this.sending = child.id;
  }

  #sendIke(datagram: Uint8Array, { local, remote }: UdpPath): void {
    const onNatPort = local.port === NAT_PORT;
    const from = { address: this.address, port: local.port };
    this.#network.send(from, remote, onNatPort ? concatBytes(NON_ESP_MARKER, datagram) : datagram);
  }
}
