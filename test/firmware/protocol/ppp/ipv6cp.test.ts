import { describe, expect, it } from 'vitest';
import { utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { randomInterfaceIdentifier } from '../../../../firmware/protocol/ppp/interface-identifier.ts';
import type { PppLinkOptions } from '../../../../firmware/protocol/ppp/link-types.ts';
import { encodeFrame } from '../../../../firmware/protocol/ppp/packet.ts';
import { PPP_IPCP, PPP_IPV6, PPP_IPV6CP, PPP_LCP } from '../../../../firmware/protocol/ppp/protocol-numbers.ts';
import { option, Pair, parseFrame, Solo, TestRandom } from './simulation.ts';

const OURS = [0, 0, 0, 0, 0, 0, 0, 1] as const;
const THEIRS = [0x0a, 0, 0, 0, 0, 0, 0, 2] as const;
const GIFT = [0, 0, 0, 0, 0, 0, 0, 9] as const;
const ZERO = [0, 0, 0, 0, 0, 0, 0, 0] as const;
const ipv6cp = { interfaceId: Uint8Array.from(OURS), peerInterfaceId: Uint8Array.from(GIFT) };
const CLIENT: PppLinkOptions = { mru: 1400, ipcp: { role: 'client', requestDns: false, address: '10.0.0.7' }, ipv6cp };
const IPV6_ONLY: PppLinkOptions = { mru: 1400, ipv6cp };
const SERVER: PppLinkOptions = {
  mru: 1400,
  ipcp: { role: 'server', assign: () => ({ localAddress: '10.0.0.1', peerAddress: '10.0.0.7', dns: [] }) },
  ipv6cp: {},
};

const identifier = (octets: readonly number[]) => option(1, ...octets);

/** A link whose LCP is opened, without authentication. */
function inNetworkPhase(options: PppLinkOptions): Solo {
  const solo = new Solo(options).begin();
  solo.hearAck(PPP_LCP).hearOptions(PPP_LCP, 1, 1, []);
  expect(solo.link.view.phase).toBe('network');
  return solo;
}

function openIpv4(solo: Solo): Solo {
  return solo.hearAck(PPP_IPCP).hearOptions(PPP_IPCP, 1, 1, [option(3, 10, 0, 0, 1)]);
}

function openIpv6(solo: Solo, peer: readonly number[] = THEIRS): Solo {
  return solo.hearAck(PPP_IPV6CP).hearOptions(PPP_IPV6CP, 1, 1, [identifier(peer)]);
}

/** Time goes by with a peer that answers echoes. */
function waitAlive(solo: Solo, seconds: number): Solo {
  for (let second = 0; second < seconds; second += 1) solo.wait(1000).hear(PPP_LCP, 10, 1, [0, 0, 0, 0]);
  return solo;
}

describe('IPv6CP', () => {
  it('tells both identifiers once each side acknowledged the other', () => {
    const solo = openIpv6(openIpv4(inNetworkPhase(CLIENT)));
    const agreement = { localInterfaceId: Uint8Array.from(OURS), peerInterfaceId: Uint8Array.from(THEIRS) };
    expect(solo.eventsOf('ipv6-up')).toEqual([{ kind: 'ipv6-up', ...agreement }]);
    expect(solo.link.view).toMatchObject({ phase: 'open', localAddress: '10.0.0.7', ...agreement });
  });

  it.each([
    ['zero', ZERO],
    ['our own identifier', OURS],
    ['an identifier of seven octets', OURS.slice(1)],
  ])('suggests another identifier to a peer that asks for %s', (_, asked) => {
    const solo = inNetworkPhase(CLIENT).hearOptions(PPP_IPV6CP, 1, 1, [identifier(asked)]);
    expect(solo.lastOptions(PPP_IPV6CP, 3)).toEqual([identifier(GIFT)]);
    solo.hearOptions(PPP_IPV6CP, 1, 2, [identifier(GIFT)]).hearAck(PPP_IPV6CP);
    expect(solo.link.view.peerInterfaceId).toEqual(Uint8Array.from(GIFT));
  });

  it('takes the identifier that the peer suggests', () => {
    const solo = inNetworkPhase(CLIENT);
    solo.hearOptions(PPP_IPV6CP, 3, solo.last(PPP_IPV6CP, 1).identifier, [identifier(GIFT)]);
    expect(solo.lastOptions(PPP_IPV6CP, 1)).toEqual([identifier(GIFT)]);
  });

  it.each([
    ['is zero', ZERO],
    ['we have just suggested ourselves: a mirror', GIFT],
    ['has six octets', GIFT.slice(2)],
  ])('draws a new identifier when the one suggested %s', (_, suggested) => {
    const solo = inNetworkPhase(CLIENT).hearOptions(PPP_IPV6CP, 1, 1, [identifier(OURS)]);
    solo.hearOptions(PPP_IPV6CP, 3, solo.last(PPP_IPV6CP, 1).identifier, [identifier(suggested)]);
    const [asked] = solo.lastOptions(PPP_IPV6CP, 1);
    expect(asked?.data).toHaveLength(8);
    expect([identifier(OURS), identifier(suggested), identifier(ZERO)]).not.toContainEqual(asked);
  });

  it('asks a peer without an identifier once, and goes without IPv6 when it still names none', () => {
    const solo = openIpv4(inNetworkPhase(CLIENT)).hearAck(PPP_IPV6CP).hearOptions(PPP_IPV6CP, 1, 1, []);
    expect(solo.lastOptions(PPP_IPV6CP, 3)).toEqual([identifier(GIFT)]);
    solo.hearOptions(PPP_IPV6CP, 1, 2, []);
    expect(solo.eventsOf('ipv6-up')).toEqual([]);
    expect(solo.isOpen).toBe(true);
    // From then on it is a protocol that is not spoken.
    solo.hearOptions(PPP_IPV6CP, 1, 3, []);
    expect(solo.sentOf(PPP_LCP, 8)).toHaveLength(1);
  });

  it('rejects header compression', () => {
    const solo = inNetworkPhase(CLIENT).hearOptions(PPP_IPV6CP, 1, 1, [identifier(THEIRS), option(2, 0, 0x4f)]);
    expect(solo.lastOptions(PPP_IPV6CP, 4)).toEqual([option(2, 0, 0x4f)]);
  });

  it('comes up among ourselves with random identifiers, without the universal bit', () => {
    const pair = new Pair({ ...CLIENT, ipv6cp: {} }, SERVER).start().run(1000);
    const { localInterfaceId, peerInterfaceId } = pair.a.link.view;
    expect(pair.b.link.view).toMatchObject({ localInterfaceId: peerInterfaceId, peerInterfaceId: localInterfaceId });
    expect((localInterfaceId?.[0] ?? 2) & 2).toBe(0);
    expect(localInterfaceId).not.toEqual(peerInterfaceId);
  });

  it('ends a collision of two sides that draw the same numbers', () => {
    const same = { ...IPV6_ONLY, ipv6cp: { interfaceId: Uint8Array.from(OURS) } };
    const pair = new Pair(same, { ...same }).start().run(20_000);
    const { localInterfaceId, peerInterfaceId } = pair.a.link.view;
    expect(localInterfaceId).toBeDefined();
    expect(localInterfaceId).not.toEqual(peerInterfaceId);
    expect(pair.b.link.view).toMatchObject({ localInterfaceId: peerInterfaceId, peerInterfaceId: localInterfaceId });
  });

  it('keeps its identifier when LCP is negotiated anew', () => {
    const pair = new Pair({ ...CLIENT, ipv6cp: {} }, SERVER).start().run(1000);
    const before = pair.a.link.view.localInterfaceId;
    pair.a.link.receive(pair.now, encodeFrame(PPP_LCP, { code: 1, identifier: 99, data: new Uint8Array(0) }));
    pair.run(4000);
    expect(pair.a.eventsOf('ipv6-up')).toHaveLength(2);
    expect(pair.a.link.view.localInterfaceId).toEqual(before);
  });
});

describe('IPv4 beside IPv6', () => {
  it('is up without the other, in either order', () => {
    const first = openIpv4(inNetworkPhase(CLIENT));
    expect(first.story.slice(-2)).toEqual(['network-up', 'phase open']);
    const second = openIpv4(openIpv6(inNetworkPhase(CLIENT)));
    expect(second.story.slice(-3)).toEqual(['ipv6-up', 'network-up', 'phase open']);
  });

  it.each([
    ['rejects IPv6CP', (solo: Solo) => solo.hear(PPP_LCP, 8, 1, [0x80, 0x57, 1, 1, 0, 4])],
    ['never answers IPv6CP', (solo: Solo) => solo],
    ['closes IPv6CP', (solo: Solo) => openIpv6(solo).hear(PPP_IPV6CP, 5, 9, utf8Bytes('off'))],
    ['rejects IPv6 itself', (solo: Solo) => openIpv6(solo).hear(PPP_LCP, 8, 1, [0x00, 0x57, 0x60])],
    [
      'refuses our identifier',
      (solo: Solo) => solo.hearOptions(PPP_IPV6CP, 4, solo.last(PPP_IPV6CP, 1).identifier, [identifier(OURS)]),
    ],
  ])('stays up when the peer %s', (_, act) => {
    const solo = waitAlive(act(openIpv4(inNetworkPhase(CLIENT))), 60);
    expect(solo.isOpen).toBe(true);
    expect(solo.link.view.localInterfaceId).toBeUndefined();
    expect(solo.eventsOf('ipv6-down')).toHaveLength(solo.eventsOf('ipv6-up').length);
  });

  it('takes IPv6 that the peer begins long after it was asked', () => {
    const solo = waitAlive(openIpv4(inNetworkPhase(CLIENT)), 60);
    expect(solo.sentOf(PPP_IPV6CP, 1)).toHaveLength(10);
    solo.hearOptions(PPP_IPV6CP, 1, 1, [identifier(THEIRS)]).hearAck(PPP_IPV6CP);
    expect(solo.eventsOf('ipv6-up')).toHaveLength(1);
  });

  it('goes on while IPv6CP is negotiated anew', () => {
    const solo = openIpv6(openIpv4(inNetworkPhase(CLIENT))).hearOptions(PPP_IPV6CP, 1, 2, [identifier(GIFT)]);
    expect(solo.story.at(-1)).toBe('ipv6-down');
    expect(solo.isOpen).toBe(true);
    solo.hearAck(PPP_IPV6CP);
    expect(solo.link.view.peerInterfaceId).toEqual(Uint8Array.from(GIFT));
  });

  it('rejects IPv6CP where it is not configured', () => {
    const { ipv6cp: _, ...ipv4Only } = CLIENT;
    const solo = inNetworkPhase(ipv4Only).hearOptions(PPP_IPV6CP, 1, 1, [identifier(THEIRS)]);
    expect(solo.last(PPP_LCP, 8).data.slice(0, 2)).toEqual(Uint8Array.of(0x80, 0x57));
  });

  it('does not answer user packets of IPv6 with a Protocol-Reject where IPv6CP is spoken', () => {
    const solo = openIpv4(inNetworkPhase(CLIENT)).hearFrame(Uint8Array.of(0x00, PPP_IPV6, 0x60));
    expect(solo.sentOf(PPP_LCP, 8)).toEqual([]);
  });

  it('goes without IPv6 on a link that carries less than 1280 octets, either way', () => {
    for (const narrow of [{ mru: 1279 }, { mtu: 1279 }]) {
      const solo = openIpv4(inNetworkPhase({ ...CLIENT, ...narrow }));
      expect(solo.isOpen).toBe(true);
      expect(solo.sentOf(PPP_IPV6CP, 1)).toEqual([]);
      solo.hearOptions(PPP_IPV6CP, 1, 1, [identifier(THEIRS)]);
      expect(solo.last(PPP_LCP, 8).data.slice(0, 2)).toEqual(Uint8Array.of(0x80, 0x57));
    }
  });

  it('says IPv6 is down before the end of the link', () => {
    const solo = openIpv6(openIpv4(inNetworkPhase(CLIENT))).hear(PPP_LCP, 5, 1);
    expect(solo.story).toContain('ipv6-down');
    expect(solo.link.view.localInterfaceId).toBeUndefined();
  });
});

describe('IPv6 alone', () => {
  it('makes an open link, and rejects IPCP', () => {
    const solo = openIpv6(inNetworkPhase(IPV6_ONLY));
    expect(solo.story.slice(-2)).toEqual(['ipv6-up', 'phase open']);
    solo.hearOptions(PPP_IPCP, 1, 1, [option(3, 0, 0, 0, 0)]);
    expect(solo.last(PPP_LCP, 8).data.slice(0, 2)).toEqual(Uint8Array.of(0x80, 0x21));
  });

  it.each([
    ['rejects it', (solo: Solo) => solo.hear(PPP_LCP, 8, 1, [0x80, 0x57]), 'the peer rejected IPV6CP'],
    ['says nothing', (solo: Solo) => waitAlive(solo, 31), 'said nothing about IPv6'],
    ['closes it', (solo: Solo) => openIpv6(solo).hear(PPP_IPV6CP, 5, 9, utf8Bytes('off')), 'closed IPV6CP: "off"'],
    [
      'refuses our identifier',
      (solo: Solo) => solo.hearOptions(PPP_IPV6CP, 4, solo.last(PPP_IPV6CP, 1).identifier, [identifier(OURS)]),
      'refused to talk about our interface identifier',
    ],
  ])('ends with words when the peer %s', (_, act, words) => {
    const solo = act(inNetworkPhase(IPV6_ONLY)).wait(5000);
    expect(solo.failure?.step).toBe('IPV6CP');
    expect(solo.failure?.reason).toContain(words);
  });

  it('ends with words on a link that carries less than 1280 octets', () => {
    const solo = new Solo({ ...IPV6_ONLY, mru: 1279 }).begin();
    solo.hearAck(PPP_LCP).hearOptions(PPP_LCP, 1, 1, []).wait(5000);
    expect(solo.failure?.reason).toContain('less than 1280 octets');
  });

  it('cannot be made without any network protocol', () => {
    expect(() => new Solo({ mru: 1400 })).toThrow(TypeError);
  });
});

it('an interface identifier is never zero', () => {
  const zeros = { bytes: (length: number) => new Uint8Array(length) };
  expect(randomInterfaceIdentifier(zeros)).toEqual(Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 1]));
});

it('IPv6CP comes up or rests for whatever is lost on the way', () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const random = new TestRandom(seed);
    const pair = new Pair({ ...CLIENT, ipv6cp: {} }, SERVER, (frame) => {
      const isIpv6cp = parseFrame(frame).protocol === PPP_IPV6CP;
      return isIpv6cp && random.next() < 0.3 ? 'lost' : 1;
    });
    pair.start().run(40_000);
    const [a, b] = [pair.a.link.view, pair.b.link.view];
    expect([a.phase, b.phase], `seed ${seed}`).toEqual(['open', 'open']);
    expect(a.localInterfaceId, `seed ${seed}`).toEqual(b.peerInterfaceId);
  }
});

it('IPv6CP neither throws nor hangs for any octets', () => {
  const random = new TestRandom(7);
  for (let run = 0; run < 300; run += 1) {
    const solo = inNetworkPhase(run % 2 === 0 ? CLIENT : IPV6_ONLY);
    for (let count = 0; count < 20; count += 1) {
      const code = 1 + Math.floor(random.next() * 8);
      // Half of them answer what we asked, and some are made of options.
      const asked = solo.sentOf(PPP_IPV6CP, 1).at(-1)?.identifier ?? 0;
      const length = Math.floor(random.next() * 24);
      const octets = Array.from(random.bytes(length));
      const data = random.next() < 0.5 ? octets : [1, 10, ...Array.from(random.bytes(8)), ...octets.slice(0, 3)];
      solo.hear(PPP_IPV6CP, code, random.next() < 0.5 ? asked : Math.floor(random.next() * 256), data);
    }
    solo.wait(120_000);
    expect(solo.isDone || solo.isOpen || solo.link.nextDeadline() !== undefined).toBe(true);
  }
});
