import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../../firmware/protocol/machine.ts';
import type { PppAuthentication, PppLinkOptions } from '../../../../firmware/protocol/ppp/link-types.ts';
import { encodeFrame } from '../../../../firmware/protocol/ppp/packet.ts';
import { PPP_CHAP, PPP_LCP, PPP_PAP } from '../../../../firmware/protocol/ppp/protocol-numbers.ts';
import { option, Pair, parseFrame, Solo, type Wire } from './simulation.ts';

const ALL: readonly PppAuthentication[] = ['mschapv2', 'chap', 'pap'];
const ADMIN: Failure = { step: 'closed', reason: 'the administrator asked for it', remedy: 'connect again' };

function client(password = 'alice-pw', methods?: readonly PppAuthentication[], user = 'alice'): PppLinkOptions {
  return {
    mru: 1400,
    authenticatee: { user, password, ...(methods === undefined ? {} : { methods }) },
    ipcp: { role: 'client', requestDns: true },
  };
}

function server(methods: readonly PppAuthentication[] = ALL, dns: readonly string[] = ['10.98.0.1', '9.9.9.9']) {
  const assigned: (string | undefined)[] = [];
  const options: PppLinkOptions = {
    mru: 1410,
    authenticator: { name: 'lns', methods, password: (user) => (user === 'alice' ? 'alice-pw' : undefined) },
    ipcp: {
      role: 'server',
      assign: (user) => {
        assigned.push(user);
        return { localAddress: '10.98.0.1', peerAddress: '10.98.0.10', dns };
      },
    },
  };
  return { options, assigned };
}

function withoutAuthenticatee(options: PppLinkOptions): PppLinkOptions {
  const { authenticatee: _, ...rest } = options;
  return rest;
}

function withoutAuthenticator(options: PppLinkOptions): PppLinkOptions {
  const { authenticator: _, ...rest } = options;
  return rest;
}

/** Passes everything but what `isLost` names, `times` times. */
function losing(times: number, isLost: (protocol: number, code: number, from: 'a' | 'b') => boolean): Wire {
  let left = times;
  return (frame, from) => {
    const { protocol, packet } = parseFrame(frame);
    if (left === 0 || !isLost(protocol, packet.code, from)) return 1;
    left -= 1;
    return 'lost';
  };
}

describe('a link between a client and a server', () => {
  it.each(ALL)('comes up with %s', (method) => {
    const { options, assigned } = server([method]);
    const pair = new Pair(client(), options).start().run(1000);
    expect(pair.a.story).toEqual([
      'phase establish',
      'link-up',
      'phase authenticate',
      'authenticated we',
      'phase network',
      'network-up',
      'phase open',
    ]);
    expect(pair.b.story).toEqual(pair.a.story.map((event) => event.replace('we', 'peer')));
    expect(pair.a.link.view).toEqual({
      phase: 'open',
      authentication: method,
      user: 'alice',
      localAddress: '10.98.0.10',
      peerAddress: '10.98.0.1',
      dns: ['10.98.0.1', '9.9.9.9'],
      peerMru: 1410,
    });
    expect(pair.b.link.view).toMatchObject({ user: 'alice', localAddress: '10.98.0.1', peerAddress: '10.98.0.10' });
    expect(assigned).toEqual(['alice']);
  });

  it('comes up within a few round trips, without waiting for a timer', () => {
    const pair = new Pair(client(), server().options).start();
    pair.run(60_000, () => pair.a.isOpen && pair.b.isOpen);
    expect(pair.now).toBeLessThan(20);
  });

  it('agrees on compressed headers and on the smaller of both sizes', () => {
    const pair = new Pair({ ...client(), mtu: 1300 }, server().options).start().run(1000);
    expect(pair.a.eventsOf('link-up')).toEqual([
      { kind: 'link-up', protocolCompression: true, addressControlCompression: true, mtu: 1300 },
    ]);
    expect(pair.b.eventsOf('link-up')[0]?.mtu).toBe(1400);
  });

  it('does not compress headers where one side does not want to', () => {
    const pair = new Pair({ ...client(), compressHeaders: false }, server().options).start().run(1000);
    for (const station of [pair.a, pair.b]) {
      expect(station.eventsOf('link-up')).toMatchObject([
        { protocolCompression: false, addressControlCompression: false },
      ]);
    }
  });

  it('comes up without authentication when the server asks for none', () => {
    const { options, assigned } = server();
    const pair = new Pair(client(), withoutAuthenticator(options)).start().run(1000);
    expect(pair.a.isOpen && pair.b.isOpen).toBe(true);
    expect(pair.a.story).not.toContain('phase authenticate');
    expect(pair.a.link.view.user).toBeUndefined();
    expect(assigned).toEqual([undefined]);
  });

  it('authenticates both ways when both sides want it', () => {
    const a: PppLinkOptions = {
      ...client(),
      authenticator: { name: 'branch', methods: ['chap'], password: (user) => (user === 'lns' ? 'lns-pw' : undefined) },
    };
    const b = { ...server(['mschapv2']).options, authenticatee: { user: 'lns', password: 'lns-pw' } };
    const pair = new Pair(a, b).start().run(1000);
    expect(pair.a.isOpen && pair.b.isOpen).toBe(true);
    expect(
      pair.a
        .eventsOf('authenticated')
        .map(({ who, method }) => `${who} ${method}`)
        .sort(),
    ).toEqual(['peer chap', 'we mschapv2']);
  });

  it('finds a user who gives a Windows domain along', () => {
    const { options, assigned } = server(['mschapv2']);
    const pair = new Pair(client('alice-pw', undefined, 'BIGCO\\alice'), options).start().run(1000);
    expect(pair.b.isOpen).toBe(true);
    expect(assigned).toEqual(['alice']);
  });

  it('takes frames that come before the start', () => {
    const pair = new Pair(client(), server().options);
    pair.a.link.start(0);
    pair.run(500);
    expect(pair.b.story).toEqual([]);
    pair.b.link.start(pair.now);
    pair.run(900);
    expect(pair.a.isOpen && pair.b.isOpen).toBe(true);
  });

  it('does without name servers where the server has none', () => {
    const pair = new Pair(client(), server(ALL, []).options).start().run(1000);
    expect(pair.a.link.view.dns).toEqual([]);
    expect(pair.a.isOpen).toBe(true);
  });

  it('takes the one name server that there is', () => {
    const pair = new Pair(client(), server(ALL, ['9.9.9.9']).options).start().run(1000);
    expect(pair.a.link.view.dns).toEqual(['9.9.9.9']);
  });

  it('traces each message once, and neither echoes nor retransmissions', () => {
    const wire = losing(1, (protocol, code, from) => protocol === PPP_LCP && code === 1 && from === 'a');
    const pair = new Pair(client(), server(['mschapv2']).options, wire).start().run(60_000);
    expect(pair.a.traces.filter((trace) => trace === 'sent LCP Configure-Request')).toHaveLength(1);
    expect(pair.a.traces).toContain('received CHAP Challenge');
    expect(pair.a.traces).toContain('sent CHAP Response');
    expect(pair.a.traces.join()).not.toContain('Echo');
    expect(pair.a.sentOf(PPP_LCP, 9).length + pair.b.sentOf(PPP_LCP, 9).length).toBeGreaterThan(0);
  });
});

describe('authentication that fails', () => {
  it.each(ALL)('ends both sides with words when the password is wrong (%s)', (method) => {
    const pair = new Pair(client('wrong'), server([method]).options).start().run(10_000);
    expect(pair.a.failure).toMatchObject({ step: 'authentication', remedy: 'check the user name and password' });
    expect(pair.a.failure?.reason).toContain('the server refused user alice');
    expect(pair.b.failure?.reason).toContain('the peer did not prove itself as user alice');
    expect(pair.a.story).not.toContain('phase network');
    expect(pair.a.link.nextDeadline()).toBeUndefined();
    expect(pair.b.link.nextDeadline()).toBeUndefined();
  });

  it.each(ALL)('says the same of a user that does not exist (%s)', (method) => {
    const known = new Pair(client('wrong'), server([method]).options).start().run(10_000);
    const unknown = new Pair(client('wrong', undefined, 'mallory'), server([method]).options).start().run(10_000);
    const reply = (pair: Pair) => pair.b.sent.find((s) => s.protocol !== PPP_LCP && s.packet.code >= 3)?.packet;
    expect(reply(unknown)?.data.length).toBe(reply(known)?.data.length);
    expect(unknown.b.failure?.reason).toBe(known.b.failure?.reason.replace('alice', 'mallory'));
    expect(unknown.now).toBe(known.now);
  });

  it('is told by the Terminate-Request when the Failure is lost', () => {
    const wire = losing(1, (protocol, code) => protocol === PPP_CHAP && code === 4);
    const pair = new Pair(client('wrong'), server(['chap']).options, wire).start().run(10_000);
    expect(pair.a.failure?.step).toBe('authentication');
    expect(pair.a.failure?.reason).toContain('while user alice was authenticating, the peer closed the link');
  });

  it('does not put passwords into reasons', () => {
    for (const method of ALL) {
      const pair = new Pair(client('s3cr3t-wrong'), server([method]).options).start().run(10_000);
      expect(JSON.stringify([pair.a.events, pair.b.events])).not.toContain('s3cr3t-wrong');
      expect(JSON.stringify([pair.a.events, pair.b.events])).not.toContain('alice-pw');
    }
  });

  it('ends with words when the password is too long for PAP', () => {
    const pair = new Pair(client('x'.repeat(300), ['pap']), server(['pap']).options).start().run(10_000);
    expect(pair.a.failure?.reason).toContain('PAP cannot carry');
  });

  it('ends with words when no address can be assigned', () => {
    const full: Failure = { step: 'IPCP', reason: 'the address pool is exhausted', remedy: 'enlarge the pool' };
    const { options } = server();
    const pair = new Pair(client(), { ...options, ipcp: { role: 'server', assign: () => full } }).start().run(10_000);
    expect(pair.b.failure).toEqual(full);
    expect(pair.a.failure?.reason).toContain('the address pool is exhausted');
  });
});

describe('the method of authentication', () => {
  it('moves along the list of the server to what the client can do', () => {
    const pair = new Pair(client('alice-pw', ['pap']), server().options).start().run(1000);
    expect(pair.a.link.view.authentication).toBe('pap');
    expect(pair.b.isOpen).toBe(true);
  });

  it('is found where neither first choice will do', () => {
    const pair = new Pair(client('alice-pw', ['pap', 'chap']), server(['mschapv2', 'chap']).options).start().run(1000);
    expect(pair.b.link.view.authentication).toBe('chap');
  });

  it('ends both sides with words when there is none in common', () => {
    const pair = new Pair(client('alice-pw', ['pap']), server(['mschapv2']).options).start().run(20_000);
    expect(pair.b.failure?.step).toBe('authentication');
    expect(pair.b.failure?.reason).toContain('asks the peer for MS-CHAPv2, but the peer would only do PAP');
    expect(pair.a.failure?.reason).toContain('the peer demands MS-CHAPv2, but this side allows only PAP');
  });

  it('ends both sides with words when the client has no password', () => {
    const pair = new Pair(withoutAuthenticatee(client()), server().options).start().run(20_000);
    expect(pair.b.failure?.reason).toContain('the peer refuses to prove who it is');
    expect(pair.a.failure?.reason).toContain('no user and password are configured');
  });
});

describe('loss', () => {
  it('of a Success costs no restart interval: the early Configure-Request has it said again', () => {
    const wire = losing(1, (protocol, code) => protocol === PPP_CHAP && code === 3);
    const pair = new Pair(client(), server(['mschapv2']).options, wire).start();
    pair.run(60_000, () => pair.a.isOpen && pair.b.isOpen);
    expect(pair.now).toBeLessThan(50);
    expect(pair.b.sentOf(PPP_CHAP, 3)).toHaveLength(2);
    expect(pair.b.sentOf(PPP_CHAP, 3)[1]).toEqual(pair.b.sentOf(PPP_CHAP, 3)[0]);
    expect(pair.b.eventsOf('authenticated')).toHaveLength(1);
  });

  it('of a PAP Authenticate-Ack is mended the same way', () => {
    const wire = losing(1, (protocol, code) => protocol === PPP_PAP && code === 2);
    const pair = new Pair(client(), server(['pap']).options, wire).start();
    pair.run(60_000, () => pair.a.isOpen && pair.b.isOpen);
    expect(pair.now).toBeLessThan(50);
  });

  it('of the last Configure-Ack does not restart the link', () => {
    const wire = losing(1, (protocol, code, from) => protocol === PPP_LCP && code === 2 && from === 'b');
    const pair = new Pair(client(), server().options, wire).start();
    pair.run(60_000, () => pair.a.isOpen && pair.b.isOpen);
    expect(pair.now).toBeLessThan(1100);
    expect(pair.b.eventsOf('link-up')).toHaveLength(1);
  });

  it('of 30 % ends with an open link or with words on both sides, in any of 200 runs', () => {
    let open = 0;
    for (let seed = 1; seed <= 200; seed += 1) {
      let state = seed;
      const dice = () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 0x1_0000_0000;
      };
      const wire: Wire = () => (dice() < 0.3 ? 'lost' : 1 + Math.floor(dice() * 40));
      const method = ALL[seed % 3] ?? 'chap';
      const pair = new Pair(client(), server([method]).options, wire, seed).start().run(120_000);
      for (const station of [pair.a, pair.b]) {
        const told = `seed ${seed}: ${JSON.stringify(station.events.slice(-3))}`;
        expect(station.isOpen !== station.isDone, told).toBe(true);
        if (station.failure !== undefined) {
          expect(station.failure.reason, told).not.toBe('');
          expect(station.link.nextDeadline(), told).toBeUndefined();
          expect(station.events.at(-1)?.kind, told).toBe('down');
        }
      }
      if (pair.a.isOpen && pair.b.isOpen) open += 1;
    }
    expect(open).toBeGreaterThan(190);
  });
});

describe('renegotiation and ends', () => {
  it('comes up again when one side starts LCP anew in Opened', () => {
    const first = new Pair(client(), server().options).start().run(1000);
    // The server's end is replaced by one that knows nothing, as an LNS is after proxy LCP and authentication.
    const second = new Pair(client(), server().options, undefined, 77);
    second.b.link.start(1000);
    for (let round = 0; round < 20; round += 1) {
      for (const frame of second.b.drain()) first.a.link.receive(1000 + round, frame);
      for (const frame of first.a.drain()) second.b.link.receive(1000 + round, frame);
    }
    expect(first.a.story.slice(7)).toEqual([
      'network-down',
      'phase establish',
      'link-up',
      'phase authenticate',
      'authenticated we',
      'phase network',
      'network-up',
      'phase open',
    ]);
    expect(second.b.isOpen).toBe(true);
  });

  it('dies of silence, with words, when nothing answers the echoes', () => {
    const pair = new Pair(client(), server().options).start().run(1000);
    pair.wire = () => 'lost';
    pair.run(49_000);
    expect(pair.a.isOpen).toBe(true);
    pair.run(60_000);
    for (const station of [pair.a, pair.b]) {
      expect(station.failure).toMatchObject({ step: 'echo' });
      expect(station.failure?.reason).toContain('nothing came from the peer for 50 s');
      expect(station.story.slice(-3)).toEqual(['network-down', 'phase dead', 'down']);
      expect(station.sentOf(PPP_LCP, 9)).toHaveLength(4);
    }
  });

  it('lives as long as user packets come, without an echo', () => {
    const pair = new Pair(client(), server().options).start().run(1000);
    pair.wire = () => 'lost';
    for (let now = 2000; now < 200_000; now += 5000) {
      pair.run(now);
      pair.a.link.dataReceived(now);
    }
    expect(pair.a.isOpen).toBe(true);
    expect(pair.a.sentOf(PPP_LCP, 9)).toEqual([]);
    expect(pair.b.failure?.step).toBe('echo');
  });

  it('stays up for an hour of nothing but echoes', () => {
    const pair = new Pair(client(), server().options).start().run(3_600_000);
    expect(pair.a.isOpen && pair.b.isOpen).toBe(true);
    expect(pair.a.story).toHaveLength(7);
  });

  it('closes politely: the peer hears of it and the end carries the reason given', () => {
    const pair = new Pair(client(), server().options).start().run(1000);
    pair.a.link.close(pair.now, ADMIN);
    pair.run(5000);
    expect(pair.a.failure).toEqual(ADMIN);
    expect(pair.a.story.slice(-4)).toEqual(['network-down', 'phase terminate', 'phase dead', 'down']);
    expect(pair.b.failure).toMatchObject({ step: 'terminated', reason: 'the peer closed the link' });
    expect(pair.a.sentOf(PPP_LCP, 5)).toHaveLength(1);
  });

  it('closes after Max-Terminate tries when nobody acknowledges', () => {
    const pair = new Pair(client(), server().options).start().run(1000);
    pair.wire = () => 'lost';
    pair.a.link.close(1000, ADMIN);
    pair.run(2999);
    expect(pair.a.isDone).toBe(false);
    pair.run(3000);
    expect(pair.a.failure).toEqual(ADMIN);
    expect(pair.a.sentOf(PPP_LCP, 5)).toHaveLength(2);
  });

  it('can be closed from both ends at once', () => {
    const pair = new Pair(client(), server().options).start().run(1000);
    pair.a.link.close(1000, ADMIN);
    pair.b.link.close(1000, ADMIN);
    pair.run(5000);
    expect([pair.a.failure, pair.b.failure]).toEqual([ADMIN, ADMIN]);
  });

  it('goes down at once and sends nothing when it is aborted', () => {
    const pair = new Pair(client(), server().options).start().run(1000);
    const before = pair.a.sent.length;
    const echo = encodeFrame(PPP_LCP, { code: 9, identifier: 1, data: Uint8Array.of(1, 2, 3, 4) });
    pair.a.link.receive(1000, echo);
    pair.a.link.abort(1000, ADMIN);
    expect(pair.a.drain()).toEqual([]);
    expect(pair.a.sent).toHaveLength(before);
    expect(pair.a.story.slice(-3)).toEqual(['network-down', 'phase dead', 'down']);
    expect(pair.a.link.nextDeadline()).toBeUndefined();
    expect(pair.a.link.view).toMatchObject({ phase: 'dead', dns: [] });
  });

  it('goes down at once when it is closed before its start, and stays down', () => {
    const pair = new Pair(client(), server().options);
    pair.a.link.close(0, ADMIN);
    pair.a.link.start(0);
    pair.a.link.tick(5000);
    expect(pair.a.drain()).toEqual([]);
    expect(pair.a.events).toEqual([{ kind: 'down', failure: ADMIN }]);
  });

  it('gives up after ten Configure-Requests into nothing', () => {
    const pair = new Pair(client(), server().options, () => 'lost').start().run(60_000);
    expect(pair.a.failure?.step).toBe('LCP');
    expect(pair.a.failure?.reason).toContain('answered none of 10 LCP Configure-Requests');
    expect(pair.a.sentOf(PPP_LCP, 1)).toHaveLength(10);
  });

  it('says that the peer does not hear it, whatever that peer asks for', () => {
    const solo = new Solo(client()).begin();
    // A peer that asks for EAP and is never reached by our suggestion of something else.
    for (let second = 0; second < 60; second += 1) {
      solo.hearOptions(PPP_LCP, 1, 1, [option(3, 0xc2, 0x27)]).wait(1000);
    }
    expect(solo.failure).toMatchObject({ step: 'LCP' });
    expect(solo.failure?.reason).toContain('answered none of 10 of ours');
    expect(solo.failure?.remedy).toContain('session of before');
  });
});
