/** An access concentrator on a simulated wire: PPPoE discovery as a server, PPP sessions, and what a test makes of them. */
import type { RandomSource } from '../../../../firmware/protocol/machine.ts';
import { PppLink } from '../../../../firmware/protocol/ppp/link.ts';
import type { PppLinkOptions, PppOutput } from '../../../../firmware/protocol/ppp/link-types.ts';
import {
  type DiscoveryPacket,
  decodeDiscovery,
  ETHERTYPE_PPPOE_DISCOVERY,
  ETHERTYPE_PPPOE_SESSION,
  encodeDiscovery,
  encodePadt,
  PADI,
  PADO,
  PADR,
  PADS,
  PADT,
  PPPOE_HEADER,
  putSessionHeader,
  sessionFrameLength,
  sessionIdOf,
} from '../../../../firmware/protocol/pppoe/packet.ts';
import {
  type PppoeTag,
  TAG_AC_COOKIE,
  TAG_AC_NAME,
  TAG_AC_SYSTEM_ERROR,
  TAG_HOST_UNIQ,
  TAG_PPP_MAX_PAYLOAD,
  TAG_SERVICE_NAME,
  tagValue,
} from '../../../../firmware/protocol/pppoe/tags.ts';
import type { Clock } from '../../../../hal/clock.ts';
import type { SimulatedFrame, SimulatedPacketSockets, SimulatedWire } from '../../../../hal/simulated/packet-socket.ts';

export const CONCENTRATOR_MAC = '02:00:00:00:00:a1';
const COOKIE = Uint8Array.of(1, 2, 3);

interface Session {
  readonly id: number;
  readonly client: string;
  readonly link: PppLink;
  up: boolean;
}

export class Concentrator {
  readonly #wire: SimulatedWire;
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly sessions = new Map<number, Session>();
  /** Codes and session ids of the discovery packets that came in. */
  readonly heard: (readonly [code: number, sessionId: number])[] = [];
  /** User packets (PPP 0x0021) that came in. */
  readonly packets: Uint8Array[] = [];
  password = 'alice-pw';
  /** Is there at all. */
  alive = true;
  /** Confirms, and then says no PPP word. */
  mute = false;
  /** What the next PADR is refused with. */
  refusal: PppoeTag | undefined;
  /** Takes one session of a line, and refuses a second one. */
  single = false;
  /** Largest payload that it echoes. 0: it knows no RFC 4638. */
  maxPayload = 0;
  #nextId = 0x0100;

  constructor(wire: SimulatedWire, clock: Clock, random: RandomSource) {
    this.#wire = wire;
    this.#clock = clock;
    this.#random = random;
  }

  /** Plugs it in. */
  async attach(packets: SimulatedPacketSockets): Promise<void> {
    packets.addDevice('ac0', CONCENTRATOR_MAC, this.#wire);
    for (const etherType of [ETHERTYPE_PPPOE_DISCOVERY, ETHERTYPE_PPPOE_SESSION]) {
      const socket = await packets.open({ device: 'ac0', etherType });
      socket.onFrame = ({ sourceMac, payload }) => {
        if (!this.alive) return;
        if (etherType === ETHERTYPE_PPPOE_DISCOVERY) this.#discovery(sourceMac, decodeDiscovery(payload));
        else this.#frame(sourceMac, payload);
      };
    }
  }

  get session(): Session | undefined {
    return [...this.sessions.values()].at(-1);
  }

  /** Ends all sessions by a PADT. */
  terminate(): void {
    for (const { id, client } of this.sessions.values()) this.#send(client, encodePadt(id));
    this.sessions.clear();
  }

  /** Forgets all sessions, as after a restart. */
  crash(): void {
    this.sessions.clear();
  }

  /** Sends a user packet down the latest session. */
  sendPacket(packet: Uint8Array): void {
    if (this.session !== undefined) this.#sendPpp(this.session, Uint8Array.of(0x00, 0x21, ...packet));
  }

  /** Sends a frame of a session that may be none. */
  sendFrame(client: string, sessionId: number, ppp: Uint8Array): void {
    const payload = new Uint8Array(PPPOE_HEADER + ppp.length);
    putSessionHeader(payload, 0, sessionId, ppp.length);
    payload.set(ppp, PPPOE_HEADER);
    this.#carry(client, ETHERTYPE_PPPOE_SESSION, payload);
  }

  tick(): void {
    for (const session of this.sessions.values()) {
      session.link.tick(this.#clock.now());
      this.#drain(session);
    }
  }

  #discovery(client: string, packet: DiscoveryPacket): void {
    const { code, sessionId, tags } = packet;
    this.heard.push([code, sessionId]);
    if (code === PADT) {
      this.sessions.delete(sessionId);
      return;
    }
    const echoed = tags.filter(({ type }) => type === TAG_HOST_UNIQ || type === TAG_SERVICE_NAME);
    if (this.maxPayload > 0) echoed.push(...tags.filter(({ type }) => type === TAG_PPP_MAX_PAYLOAD));
    if (code === PADI) {
      const own = [
        { type: TAG_AC_NAME, value: new TextEncoder().encode('ac1') },
        { type: TAG_AC_COOKIE, value: COOKIE },
      ];
      this.#send(client, encodeDiscovery({ code: PADO, sessionId: 0, tags: [...echoed, ...own] }));
    } else if (code === PADR && tagValue(tags, TAG_AC_COOKIE)?.join() === COOKIE.join()) {
      this.#confirm(client, echoed);
    }
  }

  #confirm(client: string, tags: readonly PppoeTag[]): void {
    const busy = this.single && [...this.sessions.values()].some((session) => session.client === client);
    const refusal = busy ? { type: TAG_AC_SYSTEM_ERROR, value: new Uint8Array() } : this.refusal;
    if (refusal !== undefined) {
      this.#send(client, encodeDiscovery({ code: PADS, sessionId: 0, tags: [...tags, refusal] }));
      return;
    }
    const id = this.#nextId++;
    const options: PppLinkOptions = {
      medium: 'pppoe',
      mru: Math.max(1492, this.maxPayload),
      authenticator: { name: 'ac1', methods: ['chap'], password: () => this.password },
      ipcp: {
        role: 'server',
        assign: () => ({ localAddress: '100.64.0.1', peerAddress: '100.64.7.9', dns: ['100.64.0.53'] }),
      },
    };
    const session = { id, client, link: new PppLink(options, this.#random), up: false };
    this.sessions.set(id, session);
    this.#send(client, encodeDiscovery({ code: PADS, sessionId: id, tags }));
    if (this.mute) return;
    session.link.start(this.#clock.now());
    this.#drain(session);
  }

  #frame(client: string, payload: Uint8Array): void {
    const length = sessionFrameLength(payload, 0, payload.length);
    const session = this.sessions.get(sessionIdOf(payload, 0));
    if (length < 0 || session?.client !== client || this.mute) return;
    const ppp = payload.slice(PPPOE_HEADER, PPPOE_HEADER + length);
    if (ppp[0] === 0 && ppp[1] === 0x21) {
      this.packets.push(ppp.subarray(2));
      session.link.dataReceived(this.#clock.now());
      return;
    }
    session.link.receive(this.#clock.now(), ppp);
    this.#drain(session);
  }

  #drain(session: Session): void {
    for (let output = session.link.poll(); output !== undefined; output = session.link.poll()) {
      this.#output(session, output);
    }
  }

  #output(session: Session, output: PppOutput): void {
    if (output.kind === 'send') this.#sendPpp(session, output.frame);
    else if (output.kind === 'network-up') session.up = true;
    else if (output.kind === 'network-down') session.up = false;
    else if (output.kind === 'down' && this.sessions.delete(session.id))
      this.#send(session.client, encodePadt(session.id));
  }

  #sendPpp({ id, client }: Session, ppp: Uint8Array): void {
    this.sendFrame(client, id, ppp);
  }

  #send(client: string, packet: Uint8Array): void {
    this.#carry(client, ETHERTYPE_PPPOE_DISCOVERY, packet);
  }

  #carry(destinationMac: string, etherType: number, payload: Uint8Array): void {
    // Ethernet pads what is shorter than 46 octets.
    const padded = new Uint8Array(Math.max(46, payload.length));
    padded.set(payload);
    const frame: SimulatedFrame = { sourceMac: CONCENTRATOR_MAC, destinationMac, etherType, payload: padded };
    this.#wire.carry(frame);
  }
}
