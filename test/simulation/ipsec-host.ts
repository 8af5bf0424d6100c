/** A whole IPsec machine in virtual time: its channels, what a data plane would hold, and ESP that tells on keys. */
import { createHash } from 'node:crypto';
import type { SaKey } from '../../firmware/dataplane/data-plane.ts';
import { ByteReader, ByteWriter, concatBytes } from '../../firmware/protocol/bytes.ts';
import type { ChildKeys } from '../../firmware/protocol/ike/ike-types.ts';
import type { UdpPath } from '../../firmware/protocol/udp-path.ts';
import type { ChannelSa } from '../../firmware/vpn/ipsec/ipsec-output.ts';
import type { IpsecConnectionSettings } from '../../firmware/vpn/ipsec/ipsec-types.ts';
import { TestSite } from '../firmware/vpn/ipsec/two-sites.ts';
import type { LossyNetwork } from './lossy-network.ts';

/** Before IKE on port 4500 (RFC 3948 section 2.2). */
const NON_ESP_MARKER = new Uint8Array(4);
const NAT_PORT = 4500;

interface Held {
  readonly sa: ChannelSa;
  readonly inbound: Uint8Array;
  readonly outbound: Uint8Array;
}

export class IpsecHost {
  readonly site: TestSite;
  /** Channels that ended while somebody wanted them, with the reason. */
  readonly ended: string[] = [];
  opened = 0;
  /** ESP for which there is no SA, or which was made with other keys. */
  unopened = 0;
  /** SA pairs so far. */
  pairs = 0;
  /** IKE messages sent. */
  messages = 0;
  wakeUps = 0;
  readonly #network: LossyNetwork;
  readonly #bySpi = new Map<number, Held>();
  readonly #byKey = new Map<SaKey, Held>();
  /** The earliest wake-up that is on its way. */
  #wakeUpAt = Number.POSITIVE_INFINITY;

  constructor(network: LossyNetwork, address: string, seed: number, connections: readonly IpsecConnectionSettings[]) {
    this.#network = network;
    this.site = new TestSite(address, seed);
    for (const port of [500, NAT_PORT]) {
      network.attach({ address, port }, (bytes, from, to) => this.#receive(bytes, { local: to, remote: from }));
    }
    this.run((now) => this.site.machine.setConnections(now, connections));
  }

  run(input: (now: number) => void): void {
    const { machine } = this.site;
    const network = this.#network;
    input(network.now);
    for (let output = machine.poll(); output !== undefined; output = machine.poll()) {
      this.site.apply(output);
      if (output.kind === 'send') this.#send(output.datagram, output.path);
      else if (output.kind === 'put-sa') this.#hold(output.sa);
      else if (output.kind === 'remove-sa') this.#forget(output.sa);
      else if (output.kind === 'channel-down') this.ended.push(`${output.failure.step}: ${output.failure.reason}`);
    }
    // A day of outputs would be all that is in memory.
    this.site.outputs.splice(0);
    const deadline = machine.nextDeadline();
    if (deadline === undefined || deadline >= this.#wakeUpAt) return;
    this.#wakeUpAt = Math.max(deadline, network.now);
    const mine = this.#wakeUpAt;
    network.at(mine, () => {
      if (mine !== this.#wakeUpAt) return;
      this.#wakeUpAt = Number.POSITIVE_INFINITY;
      this.wakeUps += 1;
      this.run((now) => machine.tick(now));
    });
  }

  /** A packet of each channel that is up. */
  sendPackets(): void {
    for (const channel of this.site.up.keys()) {
      const key = this.site.sending(channel)?.key;
      const held = key === undefined ? undefined : this.#byKey.get(key);
      if (held === undefined) throw new Error(`channel ${channel} of ${this.site.address} is up and cannot send`);
      const { path, outbound } = held.sa;
      const packet = new ByteWriter(36).u32(outbound.spi).bytes(held.outbound).finish();
      this.#network.send(path.local, path.remote, packet);
    }
  }

  #receive(bytes: Uint8Array, path: UdpPath): void {
    const onNatPort = path.local.port === NAT_PORT;
    const isIke = !onNatPort || bytes.subarray(0, 4).every((octet) => octet === 0);
    if (isIke) this.run((now) => this.site.machine.receive(now, onNatPort ? bytes.subarray(4) : bytes, path));
    else this.#receivePacket(bytes);
  }

  #receivePacket(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes);
    const held = this.#bySpi.get(reader.u32('SPI'));
    if (held === undefined || Buffer.compare(reader.rest(), held.inbound) !== 0) {
      this.unopened += 1;
      return;
    }
    this.opened += 1;
    this.run((now) => this.site.machine.saReceived(now, [held.sa.key]));
  }

  #send(datagram: Uint8Array, { local, remote }: UdpPath): void {
    this.messages += 1;
    this.#network.send(local, remote, local.port === NAT_PORT ? concatBytes(NON_ESP_MARKER, datagram) : datagram);
  }

  #hold(sa: ChannelSa): void {
    if (!this.#byKey.has(sa.key)) this.pairs += 1;
    const held = { sa, inbound: keyDigest(sa.inbound), outbound: keyDigest(sa.outbound) };
    this.#byKey.set(sa.key, held);
    this.#bySpi.set(sa.inbound.spi, held);
  }

  #forget(key: SaKey): void {
    const held = this.#byKey.get(key);
    this.#byKey.delete(key);
    if (held !== undefined) this.#bySpi.delete(held.sa.inbound.spi);
  }
}

function keyDigest({
  encryption,
  encryptionKey,
  integrity = '',
  integrityKey = new Uint8Array(0),
}: ChildKeys): Uint8Array {
  const digest = createHash('sha256').update(encryption).update(encryptionKey).update(integrity).update(integrityKey);
  return new Uint8Array(digest.digest());
}
