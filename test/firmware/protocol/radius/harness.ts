import { utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import type { Instant } from '../../../../firmware/protocol/machine.ts';
import type { RadiusAttribute } from '../../../../firmware/protocol/radius/attribute-value.ts';
import { RadiusClient } from '../../../../firmware/protocol/radius/client.ts';
import type {
  AccountingEvent,
  RadiusClientOptions,
  RadiusClientOutput,
} from '../../../../firmware/protocol/radius/client-types.ts';
import { CODE, type ReadPacket, readPacket } from '../../../../firmware/protocol/radius/packet.ts';
import { checkRequest, sealResponse } from '../../../../firmware/protocol/radius/sealing.ts';
import { formatEndpoint, type UdpEndpoint } from '../../../../firmware/protocol/udp-path.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

export const SECRET = utf8Bytes('a shared secret');
export const FIRST = '10.0.0.5';
export const SECOND = '10.0.0.6';

export const USER: readonly RadiusAttribute[] = [
  { name: 'userName', value: utf8Bytes('alice') },
  { name: 'userPassword', value: utf8Bytes('alice-pw') },
];

/** Something that came to a server. */
export interface Asked {
  readonly at: Instant;
  readonly remote: UdpEndpoint;
  readonly datagram: Uint8Array;
  readonly packet: ReadPacket;
}

/** A client, the time, and servers that answer as a test says. */
export class Bench {
  readonly client: RadiusClient;
  now: Instant = 1000;
  /** What servers received. */
  readonly asked: Asked[] = [];
  /** What else came out. */
  readonly told: Exclude<RadiusClientOutput, { kind: 'send' }>[] = [];
  /** By `address:port`: what a server does with a request; absent: nothing. */
  readonly servers = new Map<string, (asked: Asked) => Uint8Array | undefined>();

  constructor(hosts: readonly string[] = [FIRST, SECOND], options: Partial<RadiusClientOptions> = {}) {
    const servers = hosts.map((host) => ({
      host,
      port: 1812,
      accountingPort: 1813,
      secret: SECRET,
      timeoutMs: 1000,
      tries: 3,
    }));
    const defaults = { servers, requireMessageAuthenticator: true, deadMs: 30_000 };
    this.client = new RadiusClient({ ...defaults, ...options }, new SeededRandom(7));
  }

  /** Gives the client an input, and every server what comes of it. */
  run<Result>(input: (client: RadiusClient, now: Instant) => Result): Result {
    const result = input(this.client, this.now);
    for (let output = this.client.poll(); output; output = this.client.poll()) {
      if (output.kind !== 'send') {
        this.told.push(output);
        continue;
      }
      const { remote, datagram } = output;
      const asked = { at: this.now, remote, datagram, packet: readPacket(datagram) };
      this.asked.push(asked);
      const answer = this.servers.get(formatEndpoint(remote))?.(asked);
      if (answer) this.client.receive(this.now, remote, answer);
    }
    return result;
  }

  /** Lets the time pass, deadline by deadline. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (let ticks = 0; ticks < 10_000; ticks += 1) {
      const next = this.client.nextDeadline();
      if (next === undefined || next > end) {
        this.now = end;
        return;
      }
      this.now = Math.max(this.now, next);
      this.run((client, now) => client.tick(now));
    }
    throw new Error('the client wants to be asked again and again');
  }

  /** @returns the number of the question. */
  ask(server?: number): number {
    return this.run((client, now) => client.ask(now, USER, server));
  }

  account(event: AccountingEvent, session: string): void {
    const attributes: RadiusAttribute[] = [{ name: 'acctSessionId', value: utf8Bytes(session) }];
    this.run((client, now) => client.account(now, { event, session, attributes }));
  }

  /** Addresses that were asked, in order. */
  get asking(): readonly string[] {
    return this.asked.map(({ remote }) => formatEndpoint(remote));
  }

  /** Failures of questions, in words. */
  get failures(): readonly string[] {
    return this.told.flatMap((output) => (output.kind === 'failed' ? [output.failure.reason] : []));
  }
}

/** A server that says yes, in an answer that proves itself. */
export function accept(attributes: readonly RadiusAttribute[] = [], secret = SECRET): (asked: Asked) => Uint8Array {
  return (asked) => answer(asked, CODE.accessAccept, attributes, secret);
}

/** A server that acknowledges accounting. */
export function acknowledge({ packet, ...rest }: Asked): Uint8Array {
  if (!checkRequest(packet, SECRET)) throw new Error('an Accounting-Request with a wrong authenticator');
  return answer({ packet, ...rest }, CODE.accountingResponse, []);
}

export function answer(
  { packet }: Pick<Asked, 'packet'>,
  code: number,
  attributes: readonly RadiusAttribute[],
  secret = SECRET,
  messageAuthenticator = true,
): Uint8Array {
  const { identifier, authenticator } = packet;
  return sealResponse({ code, identifier, authenticator, attributes }, secret, messageAuthenticator);
}
