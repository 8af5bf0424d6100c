import { describe, expect, it } from 'vitest';
import { concatBytes, utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { L2tpEndpoint } from '../../../../firmware/protocol/l2tp/endpoint.ts';
import { PppLink } from '../../../../firmware/protocol/ppp/link.ts';
import type { PppAuthentication, PppOutput } from '../../../../firmware/protocol/ppp/link-types.ts';
import { encodeFrame } from '../../../../firmware/protocol/ppp/packet.ts';
import { PPP_LCP } from '../../../../firmware/protocol/ppp/protocol-numbers.ts';
import { type ProxyTrust, proxiedProof, proxiedStart, proxyAvps } from '../../../../firmware/vpn/l2tp/proxy-avps.ts';
import { L2tpServerMachine } from '../../../../firmware/vpn/l2tp/server-machine.ts';
import type { L2tpServerOptions, L2tpServerOutput } from '../../../../firmware/vpn/l2tp/server-types.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const SERVER = { address: '10.20.0.2', port: 1701 };
const LAC = { address: '10.20.0.9', port: 1701 };
type HandedOver = Extract<PppOutput, { kind: 'handed-over' }>;

/** A caller who proves itself to a LAC, which hands it on to a server. */
class Relay {
  readonly caller: PppLink;
  readonly server: L2tpServerMachine;
  readonly #lac = new L2tpEndpoint({ hostName: 'lac' }, new SeededRandom(2));
  /** What the caller heard and said since it was handed on: `received CHAP Success` ... */
  readonly traces: string[] = [];
  readonly outputs: L2tpServerOutput[] = [];
  failure: string | undefined;
  #now = 0;
  #session: string | undefined;

  constructor(trust: ProxyTrust, password: string, options: Partial<L2tpServerOptions> = {}) {
    this.caller = new PppLink(
      { mru: 1400, authenticatee: { user: 'bob', password }, ipcp: { role: 'client', requestDns: false } },
      new SeededRandom(3),
    );
    this.server = new L2tpServerMachine(
      {
        ...{ hostName: 'office', localAddress: '10.98.0.1', pool: '10.98.0.10-10.98.0.13', dns: [], hideAvps: false },
        users: { bob: { password: 'bob-pw' } },
        authentication: ['chap'],
        mru: 1400,
        proxyAuthentication: trust,
        ...options,
      },
      new SeededRandom(1),
    );
  }

  /** The caller comes to terms with the LAC, which asks for `method`. */
  dial(method: PppAuthentication): this {
    const link = new PppLink(
      {
        mru: 1400,
        authenticator: { name: 'lac', methods: [method], judge: 'elsewhere' },
        handOver: () => true,
        ipcp: { role: 'server', assign: () => ({ localAddress: '10.0.0.1', peerAddress: '10.0.0.2', dns: [] }) },
      },
      new SeededRandom(4),
    );
    this.caller.start(0);
    link.start(0);
    for (;;) {
      for (let output = this.caller.poll(); output; output = this.caller.poll()) {
        if (output.kind === 'send') link.receive(0, concatBytes(output.frame));
      }
      for (let output = link.poll(); output; output = link.poll()) {
        if (output.kind === 'send') this.caller.receive(0, concatBytes(output.frame));
        if (output.kind === 'handed-over') return this.#connect(output);
      }
    }
  }

  #connect(handed: HandedOver): this {
    const path = { remote: SERVER, local: LAC };
    const tunnelId = this.#lac.openTunnel(0, { path });
    const proxy = proxyAvps(handed);
    this.#lac.openSession(0, tunnelId, proxy ? { proxy } : {});
    this.exchange();
    return this;
  }

  exchange(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (let output = this.#lac.poll(); output; output = this.#lac.poll()) {
        busy = true;
        if (output.kind === 'send') this.server.receive(this.#now, output.datagram, { remote: LAC, local: SERVER });
      }
      for (let output = this.server.poll(); output; output = this.server.poll()) {
        busy = true;
        this.outputs.push(output);
        if (output.kind === 'put-session') this.#session = output.id;
        if (output.kind === 'send') this.#lac.receive(this.#now, output.datagram, { remote: SERVER, local: LAC });
        if (output.kind === 'ppp-send') this.caller.receive(this.#now, concatBytes(output.frame));
      }
      for (let output = this.caller.poll(); output; output = this.caller.poll()) {
        busy = true;
        if (output.kind === 'trace') this.traces.push(`${output.direction} ${output.protocol} ${output.message}`);
        if (output.kind === 'down') this.failure = output.failure.reason;
        if (output.kind === 'send') this.callerSays(output.frame);
      }
    }
  }

  callerSays(frame: Uint8Array): void {
    if (this.#session !== undefined) this.server.receiveFrame(this.#now, this.#session, concatBytes(frame));
  }

  wait(seconds: number): this {
    for (const until = this.#now + seconds * 1000; this.#now < until; ) {
      this.#now += 100;
      for (const machine of [this.caller, this.server, this.#lac]) machine.tick(this.#now);
      this.exchange();
    }
    return this;
  }

  get steps(): string[] {
    return this.outputs.flatMap((one) => (one.kind === 'step' ? [`${one.step}: ${one.detail ?? ''}`] : []));
  }

  get users(): string[] {
    return this.outputs.flatMap((one) => (one.kind === 'user-up' ? [one.user] : []));
  }
}

const TAKEN_OVER = 'proxy LCP: what the LAC agreed on with the caller stands';
const CHALLENGE = 'received CHAP Challenge';

describe('a caller who has proved itself to a LAC', () => {
  it('is up without another Challenge where the LAC is believed in full', () => {
    const relay = new Relay('full', 'bob-pw').dial('chap');
    expect(relay.caller.view.phase).toBe('open');
    expect(relay.users).toEqual(['bob']);
    expect(relay.steps).toContain(TAKEN_OVER);
    expect(relay.traces).toContain('received CHAP Success');
    expect(relay.traces).not.toContain(CHALLENGE);
    expect(relay.traces.filter((trace) => trace.includes('LCP'))).toEqual([]);
  });

  it('is up at once with PAP, too', () => {
    const relay = new Relay('full', 'bob-pw', { authentication: ['pap'] }).dial('pap');
    expect(relay.caller.view.phase).toBe('open');
    expect(relay.traces.filter((trace) => trace.includes('Request') && !trace.includes('IPCP'))).toEqual([]);
  });

  it('is told that its password is wrong, and does not come up', () => {
    const relay = new Relay('full', 'guessed').dial('chap').wait(5);
    expect(relay.traces).toContain('received CHAP Failure');
    expect(relay.failure).toMatch(/refused user bob/);
    expect(relay.users).toEqual([]);
    const ended = relay.outputs.find((output) => output.kind === 'session-ended');
    expect(ended).toMatchObject({ failure: { reason: expect.stringContaining('did not prove itself as user bob') } });
  });

  it('is challenged anew where the LAC is believed for LCP alone', () => {
    const relay = new Relay('lcp', 'bob-pw').dial('chap');
    expect(relay.users).toEqual(['bob']);
    expect(relay.steps).toContain(TAKEN_OVER);
    expect(relay.traces.filter((trace) => trace === CHALLENGE)).toHaveLength(1);
    expect(relay.traces.filter((trace) => trace.includes('LCP'))).toEqual([]);
  });

  it('begins anew where the LAC is not believed, or asked for a method that the server does not want', () => {
    for (const [trust, authentication] of [
      ['off', 'chap'],
      ['full', 'mschapv2'],
    ] as const) {
      const relay = new Relay(trust, 'bob-pw', { authentication: [authentication] }).dial('chap').wait(3);
      expect(relay.users).toEqual(['bob']);
      expect(relay.steps).not.toContain(TAKEN_OVER);
      expect(relay.traces).toContain('received LCP Configure-Request');
      expect(relay.steps.some((step) => /LCP begins anew/.test(step))).toBe(trust === 'full');
      expect(relay.traces).toContain(CHALLENGE);
    }
  });

  it('says who it is in a step of the log', () => {
    const relay = new Relay('full', 'bob-pw').dial('chap');
    const data = concatBytes(new Uint8Array(4), utf8Bytes('MSRASV5.20'));
    relay.callerSays(encodeFrame(PPP_LCP, { code: 12, identifier: 1, data }));
    relay.exchange();
    expect(relay.steps).toContain('LCP notice: MSRASV5.20');
  });
});

describe('proxy AVPs', () => {
  const lcp = { lastSentLcpConfreq: new Uint8Array(1), lastReceivedLcpConfreq: new Uint8Array(2) };
  const pap = { authenType: 3, authenName: 'bob', authenId: 9, authenResponse: utf8Bytes('pw') };

  it('are nothing to go on with where they are not to be believed, or without LCP', () => {
    expect(proxiedStart({ ...lcp, ...pap }, 'off')).toBeUndefined();
    expect(proxiedStart(pap, 'full')).toBeUndefined();
    expect(proxiedStart({ ...lcp, ...pap }, 'lcp')).toEqual({
      lastSentConfreq: lcp.lastSentLcpConfreq,
      lastReceivedConfreq: lcp.lastReceivedLcpConfreq,
      challengeIdentifier: 9,
    });
    expect(proxiedStart({ ...lcp, ...pap }, 'full')?.proof).toMatchObject({ method: 'pap', identifier: 9 });
  });

  it('carry the identifier of a PAP request there and back', () => {
    const proof = { method: 'pap', name: utf8Bytes('bob'), password: utf8Bytes('pw'), identifier: 200 } as const;
    const empty = new Uint8Array(0);
    const history = { initialReceivedConfreq: empty, lastSentConfreq: empty, lastReceivedConfreq: empty };
    const avps = proxyAvps({ lcp: history, proof });
    expect(avps?.authenId).toBe(200);
    expect(avps && proxiedProof(avps)).toEqual(proof);
  });
});
