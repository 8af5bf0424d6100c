/** A DHCP client (RFC 2131), without hands: it keeps an address for ever, until it is stopped. The states are a table. */
import { parseIpv4 } from '../ip-address.ts';
import type { Failure, Instant, Machine } from '../machine.ts';
import { printable } from '../printable.ts';
import { AddressProbe } from './address-probe.ts';
import { CONFLICT_PAUSE, renewalPause, retransmission, STATES, setbackPause } from './client-table.ts';
import type { DhcpClientOptions, DhcpOutput, DhcpState, RememberedAddress } from './client-types.ts';
import { type Lease, readLease } from './lease.ts';
import { type DhcpMessage, decodeDhcp } from './message.ts';
import { ASKED_FOR, DHCP_OPTIONS, type MessageType, type OptionValues } from './option-table.ts';
import { EVERYBODY, NO_ADDRESS, requestPacket } from './request-packet.ts';
import { CLIENT_PORT, decodeUdpPacket, SERVER_PORT } from './udp-packet.ts';

const EVERYBODY_MAC = new Uint8Array(6).fill(0xff);
/** DISCOVERs without an offer after which that is called a failure. */
const SILENT_AFTER = 3;
/** Offers that are judged between two DISCOVERs: a flood of them costs nothing more. */
const MOST_JUDGED = 8;

/** The lease in question, and from when its times count: that of the request (RFC 2131 section 4.4.1). */
interface Granted {
  readonly lease: Lease;
  readonly from: Instant;
  /** Whose frame brought it: the server's, or that of the relay which is the way to it. */
  readonly mac: Uint8Array;
}

export class DhcpClient implements Machine<DhcpOutput> {
  readonly #options: DhcpClientOptions;
  readonly #outputs: DhcpOutput[] = [];
  #state: DhcpState = 'stopped';
  #transaction = 0;
  /** When this asking began, for `secs`. */
  #began: Instant = 0;
  /** Messages of this state, when the last went out, and when the next does. */
  #sent = 0;
  #sentAt: Instant = 0;
  #next: Instant | undefined;
  #judged = 0;
  #setbacks = 0;
  #offer: Lease | undefined;
  #granted: Granted | undefined;
  #probe: AddressProbe | undefined;
  #remembered: RememberedAddress | undefined;
  #told = '';

  constructor(options: DhcpClientOptions) {
    this.#options = options;
  }

  get state(): DhcpState {
    return this.#state;
  }

  /** The lease whose address is in use. */
  get lease(): Lease | undefined {
    return STATES[this.#state].hasAddress ? this.#granted?.lease : undefined;
  }

  /** Begins, or begins anew because the cable is back: with what it had, if anything. */
  start(now: Instant, remembered = this.#remembered): void {
    this.#loseLease();
    this.#remembered = remembered;
    this.#offer = undefined;
    this.#granted = undefined;
    this.#setbacks = 0;
    this.#told = '';
    this.#begin(now);
    if (remembered === undefined || remembered.released) this.#enter(now, 'selecting');
    else this.#enter(now, 'rebooting');
  }

  /** The cable is out: nothing is asked, and the address is not used, but it is not given back. */
  suspend(): void {
    this.#loseLease();
    this.#enter(0, 'stopped');
  }

  /** Gives the address back, and is silent from now on. */
  stop(now: Instant): void {
    const granted = this.lease === undefined ? undefined : this.#granted;
    if (granted !== undefined) {
      this.#begin(now);
      const options = { serverIdentifier: granted.lease.server };
      this.#transmit(now, 'RELEASE', addressOf(granted.lease), options, 'server');
      this.#remember({ address: addressOf(granted.lease), released: true });
    }
    this.suspend();
  }

  tick(now: Instant): void {
    if (this.#probe !== undefined) this.#tickProbe(now, this.#probe);
    if (this.#next !== undefined && now >= this.#next) this.#timeOut(now);
  }

  nextDeadline(): Instant | undefined {
    const deadlines = [this.#next, this.#probe?.deadline].filter((instant) => instant !== undefined);
    return deadlines.length === 0 ? undefined : Math.min(...deadlines);
  }

  poll(): DhcpOutput | undefined {
    return this.#outputs.shift();
  }

  /** An IPv4 packet from the link. What is not for this client, or damaged, is passed over. @param sourceMac 6 octets. */
  receive(now: Instant, packet: Uint8Array, sourceMac: Uint8Array, checksumPending: boolean): void {
    const message = this.#read(packet, checksumPending);
    if (message === undefined) return;
    if (message.type === 'OFFER') this.#offered(now, message);
    else if (message.type === 'ACK') this.#acknowledged(now, message, sourceMac);
    else if (message.type === 'NAK') this.#refused(now, message);
  }

  /** An ARP packet from the link. */
  receiveArp(now: Instant, packet: Uint8Array): void {
    const mac = this.#state === 'probing' ? this.#probe?.conflict(packet) : undefined;
    const lease = this.#granted?.lease;
    if (mac === undefined || lease === undefined) return;
    const address = addressOf(lease);
    const owner = Array.from(mac, (octet) => octet.toString(16).padStart(2, '0')).join(':');
    const options = { requestedAddress: address, serverIdentifier: lease.server };
    this.#transmit(now, 'DECLINE', NO_ADDRESS, options, 'everybody');
    this.#fail({
      step: 'DHCP',
      reason: `the address ${address} that the DHCP server ${lease.server} gave is in use by ${owner}`,
      remedy:
        'take the address away from that device, or out of the range of the DHCP server; it is declined, and asked for another',
    });
    this.#remember(undefined);
    this.#setback(now, CONFLICT_PAUSE);
  }

  #read(packet: Uint8Array, checksumPending: boolean): DhcpMessage | undefined {
    if (STATES[this.#state].sends === undefined) return undefined;
    try {
      const { sourcePort, destinationPort, payload } = decodeUdpPacket(packet, checksumPending);
      if (sourcePort !== SERVER_PORT || destinationPort !== CLIENT_PORT) return undefined;
      const message = decodeDhcp(payload);
      const { mac, clientIdentifier } = this.#options;
      const echoed = message.options.clientIdentifier;
      const forUs =
        message.op === 'reply' &&
        message.transactionId === this.#transaction &&
        Buffer.compare(message.clientMac, mac) === 0 &&
        // RFC 6842 section 3: another client's, though it has this one's address.
        (echoed === undefined || Buffer.compare(echoed, clientIdentifier) === 0);
      return forUs ? message : undefined;
    } catch {
      return undefined;
    }
  }

  #offered(now: Instant, message: DhcpMessage): void {
    if (this.#state !== 'selecting' || this.#judged >= MOST_JUDGED) return;
    this.#judged += 1;
    const lease = this.#judge(message);
    if (lease === undefined) return;
    this.#offer = lease;
    this.#enter(now, 'requesting');
  }

  #acknowledged(now: Instant, message: DhcpMessage, sourceMac: Uint8Array): void {
    const { onAck, hasAddress } = STATES[this.#state];
    const { serverIdentifier: server } = message.options;
    if (onAck === undefined || this.#judged >= MOST_JUDGED) return;
    if (this.#state === 'requesting' && server !== undefined && server !== this.#offer?.server) return;
    // A renewal is about the address that is in use: whatever else this grants, it was not asked for.
    if (hasAddress && message.yourAddress !== addressOf(this.#granted?.lease)) return;
    this.#judged += 1;
    const known = hasAddress ? this.#granted?.lease.server : this.#offer?.server;
    const options =
      server === undefined && known !== undefined ? { ...message.options, serverIdentifier: known } : message.options;
    const lease = this.#judge({ ...message, options });
    if (lease === undefined) {
      if (!hasAddress) this.#setback(now);
      return;
    }
    this.#granted = { lease, from: this.#sentAt, mac: sourceMac.slice() };
    if (onAck === 'bound') this.#bind(now);
    else this.#startProbe(now, lease);
  }

  #refused(now: Instant, { options }: DhcpMessage): void {
    const { nakFrom, hasAddress } = STATES[this.#state];
    if (nakFrom === undefined) return;
    const ours = this.#state === 'requesting' ? this.#offer?.server : this.#granted?.lease.server;
    if (nakFrom === 'server' && options.serverIdentifier !== ours) return;
    const words = options.message === undefined ? '' : ` ("${printable(options.message)}")`;
    const server = options.serverIdentifier ?? 'that does not say who it is';
    this.#received('NAK', `from ${server}${words}`);
    // One NAK to what a client had before is the way of things: it has come to another network, or the server was changed.
    if (hasAddress || this.#state === 'requesting')
      this.#fail({
        step: 'DHCP',
        reason: `the DHCP server ${server} takes the address away${words}`,
        remedy: 'nothing by hand at first: another one is asked for at once',
        cause: 'refused',
      });
    this.#loseLease();
    this.#remember(undefined);
    this.#setback(now);
  }

  #judge(message: DhcpMessage): Lease | undefined {
    const lease = readLease(message);
    const refusal = 'reason' in lease ? lease : this.#options.judge(lease);
    const from = message.options.serverIdentifier ?? 'nobody';
    this.#received(
      message.type,
      `${message.yourAddress} from ${from}${refusal === undefined ? '' : ', which is refused'}`,
    );
    if (refusal !== undefined) this.#fail(refusal);
    return refusal === undefined && !('reason' in lease) ? lease : undefined;
  }

  #startProbe(now: Instant, lease: Lease): void {
    this.#enter(now, 'probing');
    this.#probe = new AddressProbe(now, parseIpv4(addressOf(lease)) ?? 0, this.#options.mac);
    this.#outputs.push({ kind: 'listen-arp', on: true });
  }

  #tickProbe(now: Instant, probe: AddressProbe): void {
    for (let output = probe.next(now); output !== undefined; output = probe.next(now)) {
      if (output !== 'free') {
        this.#outputs.push({ kind: 'arp', packet: output.packet });
        continue;
      }
      this.#bind(now);
    }
    if (probe.deadline === undefined) this.#endProbe();
  }

  #endProbe(): void {
    this.#probe = undefined;
    this.#outputs.push({ kind: 'listen-arp', on: false });
  }

  #bind(now: Instant): void {
    const granted = this.#granted;
    if (granted === undefined) return;
    this.#setbacks = 0;
    this.#told = '';
    this.#enter(now, 'bound');
    this.#next = this.#timeOf(granted.lease.renewalSeconds);
    this.#outputs.push({ kind: 'lease', lease: granted.lease });
    this.#remember({ address: addressOf(granted.lease), released: false });
  }

  /** @returns when so many seconds of the lease are over; `undefined`: never. */
  #timeOf(seconds: number): Instant | undefined {
    return Number.isFinite(seconds) ? (this.#granted?.from ?? 0) + seconds * 1000 : undefined;
  }

  #timeOut(now: Instant): void {
    const lease = this.#granted?.lease;
    const { hasAddress, tries } = STATES[this.#state];
    if (hasAddress && lease !== undefined) this.#leaseTime(now, lease);
    else if (this.#state === 'init') this.#enter(now, 'selecting');
    else if (tries !== undefined && this.#sent >= tries) this.#setback(now);
    else this.#send(now);
  }

  /** T1, T2, the end, or a repetition between them. */
  #leaseTime(now: Instant, lease: Lease): void {
    const [rebinding = now, end = now] = [this.#timeOf(lease.rebindingSeconds), this.#timeOf(lease.seconds)];
    if (now >= end) {
      this.#fail({
        step: 'DHCP',
        reason: `the lease of ${lease.address} has ended: no DHCP server has renewed it`,
        remedy: `see whether the DHCP server ${lease.server} still runs; another lease is asked for`,
        cause: 'silence',
      });
      this.#loseLease();
      this.#setback(now);
      return;
    }
    if (now >= rebinding && this.#state !== 'rebinding') this.#enter(now, 'rebinding');
    else if (this.#state === 'bound') this.#enter(now, 'renewing');
    else this.#send(now);
  }

  #setback(now: Instant, least = 0): void {
    this.#setbacks += 1;
    const pause = Math.max(least, setbackPause(this.#setbacks, this.#options.random));
    if (pause === 0) this.#enter(now, 'selecting');
    else {
      this.#enter(now, 'init');
      this.#next = now + pause;
    }
  }

  /** A new transaction, whose seconds are counted from now. */
  #begin(now: Instant): void {
    this.#began = now;
    const [a = 0, b = 0, c = 0, d = 0] = this.#options.random.bytes(4);
    this.#transaction = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  }

  #enter(now: Instant, state: DhcpState): void {
    // Announcements go on while the address is in use.
    if (!STATES[state].hasAddress && this.#probe !== undefined) this.#endProbe();
    this.#state = state;
    this.#sent = 0;
    this.#judged = 0;
    this.#next = undefined;
    if (state === 'selecting' || state === 'renewing' || state === 'rebinding') this.#begin(now);
    if (state === 'selecting') this.#offer = undefined;
    if (STATES[state].sends !== undefined) this.#send(now);
  }

  #send(now: Instant): void {
    const { sends, to, hasAddress } = STATES[this.#state];
    if (sends === undefined) return;
    this.#sent += 1;
    this.#sentAt = now;
    this.#judged = 0;
    const own = hasAddress ? addressOf(this.#granted?.lease) : NO_ADDRESS;
    this.#transmit(now, sends, own, this.#asking(), to);
    this.#next = hasAddress ? this.#nextRenewal(now) : now + retransmission(this.#sent, this.#options.random);
    if (this.#state === 'selecting' && this.#sent > SILENT_AFTER && this.#told === '')
      this.#fail({
        step: 'DHCP',
        reason: 'no DHCP server answers',
        remedy:
          'see whether there is one behind this cable, or give the interface a static address; it is asked for on',
        cause: 'silence',
      });
  }

  #nextRenewal(now: Instant): Instant | undefined {
    const lease = this.#granted?.lease;
    if (lease === undefined) return undefined;
    const end = this.#timeOf(this.#state === 'renewing' ? lease.rebindingSeconds : lease.seconds);
    return end === undefined ? undefined : Math.min(end, now + renewalPause(now, end, lease.seconds * 1000));
  }

  /** What a DISCOVER or REQUEST of this state says (RFC 2131 table 5). */
  #asking(): OptionValues {
    const { hostName, mtu } = this.#options;
    const requested =
      this.#state === 'requesting'
        ? { requestedAddress: addressOf(this.#offer), serverIdentifier: this.#offer?.server ?? NO_ADDRESS }
        : STATES[this.#state].hasAddress || this.#remembered === undefined
          ? {}
          : { requestedAddress: this.#remembered.address };
    return {
      ...requested,
      ...(hostName === undefined ? {} : { hostName }),
      maximumMessageSize: Math.min(Math.max(mtu, 576), 1500),
      parameterRequestList: Uint8Array.from(ASKED_FOR, (name) => DHCP_OPTIONS[name].code),
    };
  }

  #transmit(now: Instant, type: MessageType, own: string, options: OptionValues, to: 'everybody' | 'server'): void {
    const granted = this.#granted;
    const unicast = to === 'server' && granted !== undefined;
    const destination = unicast ? granted.lease.server : EVERYBODY;
    const asking = { type, own, options, destination, transactionId: this.#transaction, ms: now - this.#began };
    const packet = requestPacket(this.#options, asking);
    this.#outputs.push({ kind: 'send', destinationMac: unicast ? granted.mac : EVERYBODY_MAC, packet });
    const about = options.requestedAddress ?? (own === NO_ADDRESS ? '' : own);
    const detail = `${about === '' ? '' : `${about} `}to ${unicast ? destination : 'everybody'}`;
    this.#outputs.push({ kind: 'step', direction: 'sent', step: type, detail });
  }

  #received(step: string, detail: string): void {
    this.#outputs.push({ kind: 'step', direction: 'received', step, detail });
  }

  #remember(remembered: RememberedAddress | undefined): void {
    const before = this.#remembered;
    this.#remembered = remembered;
    if (before?.address === remembered?.address && before?.released === remembered?.released) return;
    this.#outputs.push({ kind: 'remember', remembered });
  }

  #loseLease(): void {
    if (this.lease !== undefined) this.#outputs.push({ kind: 'lost' });
  }

  /** The same one is told once. */
  #fail(failure: Failure): void {
    if (this.#told === failure.reason) return;
    this.#told = failure.reason;
    this.#outputs.push({ kind: 'failure', failure });
  }
}

function addressOf(lease: Lease | undefined): string {
  return lease?.address.split('/')[0] ?? NO_ADDRESS;
}
