/** What else a capture shows: questions to DNS and RADIUS servers, ICMP errors, and user packets inside the tunnels. */
import { BoundedMap } from '../decode/bounded-map.ts';
import type { DecodedMessage } from '../decode/decoded.ts';
import type { Notes } from '../notes.ts';
import { numberOf, pairOf, textOf } from './fields.ts';

/** Servers, and pairs of ends, that are watched at a time. */
const MAX_WATCHED = 512;
/** Questions without any answer, user packets one way without any the other, from which on it is no chance. */
const UNANSWERED = 2;
const ONE_WAY = 3;
/** Octets of an echo that is a test of the path's MTU. */
const LARGE = 1000;

const DNS = 53;
const RADIUS = 1812;

interface Service {
  readonly port: number;
  readonly address: string;
  asked: number;
  answered: number;
}

interface Flow {
  readonly from: string;
  readonly to: string;
  forth: number;
  back: number;
  readonly echo: { small: number; smallReplies: number; large: number; largeReplies: number; size: number };
}

export class Surroundings {
  readonly #notes: Notes;
  readonly #services = new BoundedMap<string, Service>(MAX_WATCHED);
  readonly #flows = new BoundedMap<string, Flow>(MAX_WATCHED);
  #fragments = 0;

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  /** A datagram whose fragments did not all come. */
  incomplete(): void {
    this.#fragments += 1;
  }

  /** A line of an IP packet, outside or inside of a tunnel. @param inside whether it is a user's. */
  packet(message: DecodedMessage, inside: boolean): void {
    if (inside) this.#userPacket(message);
    else this.#question(message);
  }

  end(): void {
    for (const { port, address, asked, answered } of this.#services.values()) {
      if (asked < UNANSWERED || answered > 0) continue;
      const id = port === DNS ? 'dns-silent' : 'radius-silent';
      const what = port === DNS ? 'DNS' : 'RADIUS';
      this.#notes.sign(id, `${asked} questions to the ${what} server ${address}, and no answer`);
    }
    for (const flow of this.#flows.values()) this.#judge(flow);
    if (this.#fragments > 0) {
      this.#notes.sign('fragments-lost', `${this.#fragments} datagrams in fragments, of which not all came`);
    }
  }

  #judge({ from, to, forth, back, echo }: Flow): void {
    if (forth > 0 && back > 0) this.#notes.ok('traffic', `user packets go both ways, ${forth} and ${back}`);
    else if (forth >= ONE_WAY) {
      this.#notes.sign('one-way-traffic', `${forth} user packets from ${from} to ${to}, and none back`);
    }
    if (echo.large >= UNANSWERED && echo.largeReplies === 0 && echo.smallReplies > 0) {
      const seen = `${echo.large} echo requests of ${echo.size} octets have no reply, and shorter ones have`;
      this.#notes.sign('mtu-black-hole', seen);
    }
  }

  #question({ fields }: DecodedMessage): void {
    const to = numberOf(fields, 'destinationPort');
    const from = numberOf(fields, 'sourcePort');
    const asking = to === DNS || to === RADIUS;
    const port = asking ? to : from;
    if (port !== DNS && port !== RADIUS) return;
    const address = textOf(fields, asking ? 'destination' : 'source');
    const key = `${port} ${address}`;
    const service = this.#services.get(key) ?? { port, address, asked: 0, answered: 0 };
    this.#services.set(key, service);
    if (asking) service.asked += 1;
    else service.answered += 1;
  }

  #userPacket(message: DecodedMessage): void {
    const { fields } = message;
    const source = textOf(fields, 'source');
    const destination = textOf(fields, 'destination');
    // What hosts say to everybody has no answer.
    if (/^(22[4-9]|23\d|255|ff)/.test(destination) || source.startsWith('fe80')) return;
    const key = `${pairOf(message)} ${[source, destination].sort().join(' ')}`;
    const known = this.#flows.get(key);
    const echo = { small: 0, smallReplies: 0, large: 0, largeReplies: 0, size: 0 };
    const flow = known ?? { from: source, to: destination, forth: 0, back: 0, echo };
    this.#flows.set(key, flow);
    if (source === flow.from) flow.forth += 1;
    else flow.back += 1;
    countEcho(flow.echo, textOf(fields, 'icmpType'), numberOf(fields, 'length') ?? 0);
  }
}

function countEcho(echo: Flow['echo'], type: string, length: number): void {
  const large = length >= LARGE;
  if (type === 'echo request') {
    if (large) echo.size = length;
    if (large) echo.large += 1;
    else echo.small += 1;
  } else if (type === 'echo reply') {
    if (large) echo.largeReplies += 1;
    else echo.smallReplies += 1;
  }
}
