import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import type { PppLinkOptions } from '../../../../firmware/protocol/ppp/link-types.ts';
import { describeOption, LCP_OPTIONS } from '../../../../firmware/protocol/ppp/options.ts';
import { encodeFrame } from '../../../../firmware/protocol/ppp/packet.ts';
import { PPP_CCP, PPP_CHAP, PPP_IPCP, PPP_LCP } from '../../../../firmware/protocol/ppp/protocol-numbers.ts';
import { option, Solo } from './simulation.ts';

const BARE: PppLinkOptions = { mru: 1400, ipcp: { role: 'client', requestDns: true } };
const CLIENT: PppLinkOptions = { ...BARE, authenticatee: { user: 'alice', password: 'alice-pw' } };
const SERVER: PppLinkOptions = {
  mru: 1400,
  authenticator: { name: 'lns', methods: ['mschapv2', 'chap'], password: () => 'pw' },
  ipcp: { role: 'server', assign: () => ({ localAddress: '10.0.0.1', peerAddress: '10.0.0.2', dns: [] }) },
};
const MAGIC = option(5, 1, 2, 3, 4);

/** Opens LCP with a peer that asks for the given options and grants ours. */
function opened(options: PppLinkOptions, ...peer: readonly ReturnType<typeof option>[]): Solo {
  const solo = new Solo(options).begin();
  solo.hearAck(PPP_LCP).hearOptions(PPP_LCP, 1, 200, peer);
  expect(solo.eventsOf('link-up'), 'LCP opened').toHaveLength(1);
  solo.news();
  return solo;
}

function magicOf(solo: Solo): number[] {
  return [...(solo.lastOptions(PPP_LCP, 1).find(({ type }) => type === 5)?.data ?? [])];
}

describe('what LCP asks for', () => {
  it('is an MRU, a Magic-Number and both compressions', () => {
    const asked = new Solo(BARE).begin().lastOptions(PPP_LCP, 1);
    expect(asked.map((one) => describeOption(LCP_OPTIONS, one).name)).toEqual([
      'MRU',
      'Magic-Number',
      'Protocol-Field-Compression',
      'Address-and-Control-Field-Compression',
    ]);
    expect(asked[0]).toEqual(option(1, 0x05, 0x78));
  });

  it('leaves the default MRU and unwanted compression out', () => {
    const asked = new Solo({ ...BARE, mru: 1500, compressHeaders: false }).begin().lastOptions(PPP_LCP, 1);
    expect(asked.map(({ type }) => type)).toEqual([5]);
  });

  it('includes the best method of authentication where the peer must prove itself', () => {
    expect(new Solo(SERVER).begin().lastOptions(PPP_LCP, 1)).toContainEqual(option(3, 0xc2, 0x23, 0x81));
  });

  it('drops what the peer rejects, and changes the identifier', () => {
    const solo = new Solo(BARE).begin();
    const first = solo.last(PPP_LCP, 1);
    solo.hearOptions(PPP_LCP, 4, first.identifier, solo.lastOptions(PPP_LCP, 1));
    const second = solo.last(PPP_LCP, 1);
    expect(second.data).toHaveLength(0);
    expect(second.identifier).not.toBe(first.identifier);
  });

  it('takes a smaller MRU that the peer suggests, and the default instead of a larger one', () => {
    const smaller = new Solo(BARE).begin();
    smaller.hearOptions(PPP_LCP, 3, smaller.last(PPP_LCP, 1).identifier, [option(1, 4, 0)]);
    expect(smaller.lastOptions(PPP_LCP, 1)[0]).toEqual(option(1, 4, 0));
    const larger = new Solo(BARE).begin();
    larger.hearOptions(PPP_LCP, 3, larger.last(PPP_LCP, 1).identifier, [option(1, 8, 0)]);
    expect(larger.lastOptions(PPP_LCP, 1).map(({ type }) => type)).not.toContain(1);
  });

  it('keeps the identifier and the octets in a retransmission', () => {
    const solo = new Solo(BARE).begin().wait(2500);
    const requests = solo.sentOf(PPP_LCP, 1);
    expect(requests).toHaveLength(3);
    expect(requests[2]).toEqual(requests[0]);
  });

  it('ignores answers with another identifier, with other options, or to a request already answered', () => {
    const solo = new Solo(BARE).begin();
    const { identifier, data } = solo.last(PPP_LCP, 1);
    solo.hearOptions(PPP_LCP, 1, 1, [MAGIC]);
    solo.hear(PPP_LCP, 2, identifier + 1, data).hear(PPP_LCP, 2, identifier, data.subarray(4));
    solo.hearOptions(PPP_LCP, 4, identifier, [option(99)]);
    expect(solo.sentOf(PPP_LCP, 1)).toHaveLength(1);
    expect(solo.story).toEqual(['phase establish']);
    solo.hear(PPP_LCP, 2, identifier, data);
    expect(solo.story).toContain('link-up');
    solo.hear(PPP_LCP, 2, identifier, data);
    expect(solo.story.at(-1)).toBe('phase network');
  });

  it('ends with words after a peer has refused it twenty times', () => {
    const solo = new Solo(BARE).begin();
    for (let round = 0; round < 30; round += 1) {
      solo.hearOptions(PPP_LCP, 3, solo.last(PPP_LCP, 1).identifier, [option(99, round)]);
    }
    solo.wait(5000);
    expect(solo.failure?.reason).toContain('refused 21 LCP Configure-Requests');
  });
});

describe('what LCP grants', () => {
  it('is every option it knows, in the order asked', () => {
    const solo = new Solo(BARE).begin();
    const wanted = [option(2, 0, 0, 0, 0), option(1, 5, 0xdc), MAGIC, option(7), option(8)];
    solo.hearOptions(PPP_LCP, 1, 9, wanted);
    expect(solo.lastOptions(PPP_LCP, 2)).toEqual(wanted);
    expect(solo.last(PPP_LCP, 2).identifier).toBe(9);
  });

  it('is not MRRU, Endpoint-Discriminator, Callback, Quality-Protocol or anything unknown', () => {
    const solo = new Solo(BARE).begin();
    const refused = [option(17, 5, 0xdc), option(19, 1, 2, 3), option(13, 6), option(4, 0xc0, 0x25), option(222, 1)];
    solo.hearOptions(PPP_LCP, 1, 1, [option(1, 5, 0xdc), ...refused, MAGIC]);
    expect(solo.lastOptions(PPP_LCP, 4)).toEqual(refused);
    solo.hearOptions(PPP_LCP, 1, 2, [option(1, 5, 0xdc), MAGIC]);
    expect(solo.sentOf(PPP_LCP, 2)).toHaveLength(1);
  });

  it('is not an MRU too small to be of use', () => {
    const solo = new Solo(BARE).begin().hearOptions(PPP_LCP, 1, 1, [option(1, 0, 64)]);
    expect(solo.lastOptions(PPP_LCP, 3)).toEqual([option(1, 0, 128)]);
  });

  it('is not a Magic-Number of zero, nor an option of a wrong length', () => {
    const solo = new Solo(BARE).begin();
    solo.hearOptions(PPP_LCP, 1, 1, [option(5, 0, 0, 0, 0)]);
    expect(solo.lastOptions(PPP_LCP, 3)[0]?.data).toHaveLength(4);
    solo.hearOptions(PPP_LCP, 1, 2, [option(1, 5)]);
    expect(solo.lastOptions(PPP_LCP, 3)).toEqual([option(1, 5, 0xdc)]);
    solo.hearOptions(PPP_LCP, 1, 3, [option(7, 1)]);
    expect(solo.lastOptions(PPP_LCP, 4)).toEqual([option(7, 1)]);
  });

  it('tolerates padding after Length', () => {
    const solo = new Solo(BARE).begin();
    const frame = encodeFrame(PPP_LCP, { code: 1, identifier: 4, data: Uint8Array.of(1, 4, 5, 0xdc) });
    solo.hearFrame(Uint8Array.from([...frame, 0, 0, 0, 0xff, 0x7d]));
    expect([...solo.last(PPP_LCP, 2).data]).toEqual([1, 4, 5, 0xdc]);
  });

  it('gives a repeated request the answer it had, without counting it again', () => {
    const solo = new Solo({ ...CLIENT, authenticatee: { user: 'a', password: 'b', methods: ['chap'] } }).begin();
    for (let round = 0; round < 10; round += 1) solo.hearOptions(PPP_LCP, 1, 1, [option(3, 0xc0, 0x23)]);
    expect(solo.sentOf(PPP_LCP, 3)).toHaveLength(10);
    expect(solo.link.view.phase).toBe('establish');
  });
});

describe('authentication in LCP', () => {
  it('answers EAP and MS-CHAPv1 with the best method that we allow', () => {
    for (const demand of [option(3, 0xc2, 0x27), option(3, 0xc2, 0x23, 0x80)]) {
      const solo = new Solo(CLIENT).begin().hearOptions(PPP_LCP, 1, 1, [demand]);
      expect(solo.lastOptions(PPP_LCP, 3)).toEqual([option(3, 0xc2, 0x23, 0x81)]);
    }
  });

  it('gives a peer that insists on EAP what it wants, and not one that insists on what is broken', () => {
    const demand = option(3, 0xc2, 0x27);
    const solo = new Solo(CLIENT).begin().hearOptions(PPP_LCP, 1, 1, [demand]).hearOptions(PPP_LCP, 1, 2, [demand]);
    expect(solo.lastOptions(PPP_LCP, 2)).toEqual([demand]);
    const only = { authenticatee: { user: 'alice', password: 'alice-pw', methods: ['eap'] as const } };
    expect(new Solo({ ...CLIENT, ...only }).begin().hearOptions(PPP_LCP, 1, 1, [demand]).sentOf(PPP_LCP, 3)).toEqual(
      [],
    );
    const broken = option(3, 0xc2, 0x23, 0x80);
    const wary = new Solo(CLIENT).begin();
    for (let round = 1; round <= 6; round += 1) wary.hearOptions(PPP_LCP, 1, round, [broken]);
    expect(wary.sentOf(PPP_LCP, 2)).toEqual([]);
  });

  it('suggests the next method each time, and ends with words when the peer insists', () => {
    const methods = ['pap', 'chap', 'mschapv2'] as const;
    const credentials = { user: 'alice', password: 'alice-pw', methods };
    const solo = new Solo({ ...CLIENT, authenticatee: credentials }).begin();
    for (let round = 1; round <= 4; round += 1) solo.hearOptions(PPP_LCP, 1, round, [option(3, 0xc2, 0x27)]);
    expect(solo.sentOf(PPP_LCP, 3).map(({ data }) => [...data.subarray(2)])).toEqual([
      [0xc2, 0x23, 0x81],
      [0xc2, 0x23, 0x05],
      [0xc0, 0x23],
    ]);
    solo.wait(3000);
    expect(solo.failure).toMatchObject({
      step: 'authentication',
      reason: 'the peer demands EAP, but this side allows only MS-CHAPv2 or CHAP-MD5 or PAP',
    });
  });

  it('rejects the option where there is no password, and ends with words when the peer insists', () => {
    const solo = new Solo(BARE).begin().hearOptions(PPP_LCP, 1, 1, [option(3, 0xc0, 0x23)]);
    expect(solo.lastOptions(PPP_LCP, 4)).toEqual([option(3, 0xc0, 0x23)]);
    for (let round = 2; round < 6; round += 1) solo.hearOptions(PPP_LCP, 1, round, [option(3, 0xc0, 0x23)]);
    solo.wait(3000);
    expect(solo.failure?.reason).toContain('no user and password are configured');
  });

  it('ends with words when the peer gives up over it', () => {
    const solo = new Solo(BARE).begin().hearOptions(PPP_LCP, 1, 1, [option(3, 0xc0, 0x23)]);
    solo.hear(PPP_LCP, 5, 2, utf8Bytes('no auth')).wait(3000);
    expect(solo.failure?.reason).toContain('no user and password are configured');
    expect(solo.now).toBe(3000);
  });

  it('never goes to a method that is not on our list', () => {
    const solo = new Solo(SERVER).begin();
    solo.hearOptions(PPP_LCP, 3, solo.last(PPP_LCP, 1).identifier, [option(3, 0xc0, 0x23)]);
    expect(solo.lastOptions(PPP_LCP, 1)).toContainEqual(option(3, 0xc2, 0x23, 0x05));
    solo.hearOptions(PPP_LCP, 3, solo.last(PPP_LCP, 1).identifier, [option(3, 0xc0, 0x23)]);
    solo.wait(3000);
    expect(solo.failure?.reason).toBe(
      'this side asks the peer for MS-CHAPv2 or CHAP-MD5, but the peer would only do PAP',
    );
  });

  it('ends with words when the peer rejects the option', () => {
    const solo = new Solo(SERVER).begin();
    solo.hearOptions(PPP_LCP, 4, solo.last(PPP_LCP, 1).identifier, [option(3, 0xc2, 0x23, 0x81)]).wait(3000);
    expect(solo.failure?.reason).toContain('the peer refuses to prove who it is');
  });
});

describe('a looped link', () => {
  it('ends with words when our Configure-Requests come back', () => {
    const solo = new Solo(BARE).begin();
    let returned = 0;
    for (let round = 0; round < 100 && !solo.isDone; round += 1) {
      const echo = solo.sent.slice(returned);
      returned = solo.sent.length;
      for (const { protocol, packet } of echo) solo.hearFrame(encodeFrame(protocol, packet));
    }
    expect(solo.failure?.reason).toContain('looped back');
  });

  it('ends with words when our Echo-Requests come back', () => {
    const solo = opened(BARE, MAGIC);
    solo.hear(PPP_LCP, 9, 1, magicOf(solo)).wait(3000);
    expect(solo.failure?.reason).toContain('looped back');
  });

  it('is not seen in an Echo-Reply that copies our Magic-Number', () => {
    const solo = opened(BARE, MAGIC);
    solo.hear(PPP_LCP, 10, 1, magicOf(solo));
    expect(solo.link.view.phase).toBe('network');
  });
});

describe('LCP once opened', () => {
  it('answers an Echo-Request with its data and our Magic-Number', () => {
    const solo = opened(BARE, MAGIC).hear(PPP_LCP, 9, 77, [1, 2, 3, 4, 9, 8, 7]);
    const reply = solo.last(PPP_LCP, 10);
    expect(reply.identifier).toBe(77);
    expect([...reply.data]).toEqual([...magicOf(solo), 9, 8, 7]);
  });

  it('does not answer one before that', () => {
    const solo = new Solo(BARE).begin().hear(PPP_LCP, 9, 77, [1, 2, 3, 4]);
    expect(solo.sentOf(PPP_LCP, 10)).toEqual([]);
  });

  it('says nothing to Discard-Request, Identification and Time-Remaining', () => {
    const solo = opened(BARE, MAGIC);
    for (const code of [11, 12, 13]) solo.hear(PPP_LCP, code, 1, [1, 2, 3, 4]);
    expect(solo.news()).toEqual([]);
  });

  it('answers an unknown code with a Code-Reject, a new identifier each time', () => {
    const solo = opened(BARE, MAGIC).hear(PPP_LCP, 99, 5, [1, 2]).hear(PPP_LCP, 99, 6, [1, 2]);
    const [first, second] = solo.sentOf(PPP_LCP, 7);
    expect([...(first?.data ?? [])]).toEqual([99, 5, 0, 6, 1, 2]);
    expect(second?.identifier).not.toBe(first?.identifier);
  });

  it('stops sending echoes to a peer that does not know them', () => {
    const solo = opened(BARE, MAGIC).hear(PPP_LCP, 7, 1, [9, 1, 0, 8, 0, 0, 0, 0]);
    for (let second = 0; second < 25; second += 1) solo.wait(1000);
    expect(solo.sentOf(PPP_LCP, 9)).toEqual([]);
  });

  it('ends with words when the peer does not know Configure-Requests', () => {
    const solo = new Solo(BARE).begin().hear(PPP_LCP, 7, 1, [1, 1, 0, 4]).wait(3000);
    expect(solo.failure?.reason).toBe('the peer rejected LCP itself');
  });

  it('rejects CCP, ECP, IPV6CP and unknown protocols, and lives on', () => {
    const solo = opened(BARE, MAGIC);
    for (const protocol of [PPP_CCP, 0x8053, 0x8057, 0x8281, 0x4321, 0x0057]) {
      solo.news();
      solo.hear(protocol, 1, 3, [18, 6, 1, 0, 0, 0x60]);
      const [reject] = solo.news();
      expect(reject?.packet.code).toBe(8);
      expect([...(reject?.packet.data ?? [])]).toEqual([
        protocol >> 8,
        protocol & 0xff,
        1,
        3,
        0,
        10,
        18,
        6,
        1,
        0,
        0,
        0x60,
      ]);
    }
    expect(solo.link.view.phase).toBe('network');
    expect(solo.traces).toContain('received CCP Configure-Request');
  });

  it('cuts a Protocol-Reject to the MRU of the peer', () => {
    const solo = opened(BARE, option(1, 0, 200), MAGIC);
    solo.hearFrame(Uint8Array.from([0x80, 0xfd, ...new Array<number>(1000).fill(1)]));
    expect(solo.last(PPP_LCP, 8).data).toHaveLength(196);
  });

  it('does not answer a flood with a flood', () => {
    const solo = opened(BARE, MAGIC);
    for (let round = 0; round < 100; round += 1) solo.hearFrame(Uint8Array.of(0x80, 0xfd, round));
    expect(solo.news()).toHaveLength(8);
  });

  it('ends with words when the peer rejects IPCP', () => {
    const solo = opened(BARE, MAGIC).hear(PPP_LCP, 8, 1, [0x80, 0x21, 1, 1, 0, 4]).wait(3000);
    expect(solo.failure).toMatchObject({ step: 'IPCP', reason: 'the peer rejected IPCP, so it would carry no IPv4' });
  });

  it('does not care when the peer rejects a protocol that we never needed', () => {
    const solo = opened(BARE, MAGIC).hear(PPP_LCP, 8, 1, [0x80, 0xfd, 1, 1, 0, 4]).hear(PPP_LCP, 8, 2, [0x80]);
    expect(solo.link.view.phase).toBe('network');
  });

  it('acknowledges a Terminate-Request and goes down one interval later, with the words of the peer', () => {
    const solo = opened(BARE, MAGIC).hear(PPP_LCP, 5, 9, utf8Bytes('idle\ntoo long'));
    expect(solo.last(PPP_LCP, 6).identifier).toBe(9);
    expect(solo.isDone).toBe(false);
    solo.wait(1000);
    expect(solo.failure).toMatchObject({
      step: 'terminated',
      reason: 'the peer closed the link: "idle\\x0atoo long"',
    });
  });

  it('points to MPPE when a server gives up after its CCP was rejected', () => {
    const solo = opened(BARE, MAGIC).hear(PPP_CCP, 1, 1, [18, 6, 1, 0, 0, 0x60]).hear(PPP_LCP, 5, 9).wait(3000);
    expect(solo.failure?.remedy).toContain('MPPE');
  });

  it('acknowledges its peer once more when that repeats its request, and stays open', () => {
    const solo = opened(BARE, MAGIC);
    const before = solo.sentOf(PPP_LCP, 2).length;
    for (let round = 0; round < 3; round += 1) solo.hearOptions(PPP_LCP, 1, 200, [MAGIC]);
    expect(solo.sentOf(PPP_LCP, 2)).toHaveLength(before + 3);
    expect(solo.link.view.phase).toBe('network');
    solo.hearOptions(PPP_LCP, 1, 200, [MAGIC]);
    expect(solo.link.view.phase).toBe('establish');
  });

  it('negotiates anew when the peer sends a new request', () => {
    const solo = opened(BARE, MAGIC).hearOptions(PPP_LCP, 1, 201, [option(5, 9, 9, 9, 9)]);
    expect(solo.newsInShort().slice(-2)).toEqual(['LCP 1', 'LCP 2']);
    solo.hearAck(PPP_LCP);
    expect(solo.eventsOf('link-up')).toHaveLength(2);
  });
});

describe('a peer that leads nowhere', () => {
  it('cannot hang LCP by acknowledging without ever asking', () => {
    const solo = new Solo(BARE).begin();
    for (let round = 0; round < 80 && !solo.isDone; round += 1) {
      const seen = solo.sentOf(PPP_LCP, 1).length;
      solo.hearAck(PPP_LCP).wait(500);
      expect(solo.sentOf(PPP_LCP, 1).length - seen).toBeLessThan(3);
    }
    expect(solo.failure?.step).toBe('LCP');
    expect(solo.failure?.reason).toContain('did not come to terms');
  });

  it('cannot hang authentication by renegotiating LCP for ever', () => {
    const solo = new Solo(CLIENT).begin();
    for (let round = 0; round < 200 && !solo.isDone; round += 1) {
      solo
        .hearOptions(PPP_LCP, 1, round & 0xff, [option(3, 0xc0, 0x23)])
        .hearAck(PPP_LCP)
        .wait(400);
    }
    expect(solo.failure?.step).toBe('authentication');
    expect(solo.now).toBeLessThan(40_000);
  });

  it('cannot make the machine throw or hang with any octets, in any phase', () => {
    const protocols = fc.constantFrom(PPP_LCP, PPP_LCP, PPP_CHAP, 0xc023, PPP_IPCP, PPP_CCP, 0x0021, 0xffff);
    const octet = fc.integer({ min: 0, max: 255 });
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .record({
          protocol: protocols,
          code: fc.integer({ min: 0, max: 15 }),
          identifier: fc.integer({ min: 0, max: 6 }),
          data: fc.oneof(
            fc.uint8Array({ maxLength: 30 }),
            fc
              .array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.array(octet, { maxLength: 6 })), { maxLength: 4 })
              .map((list) => Uint8Array.from(list.flatMap(([type, data]) => [type, data.length + 2, ...data]))),
          ),
        })
        .map(({ protocol, ...packet }) => encodeFrame(protocol, packet)),
    );
    const steps = fc.array(fc.tuple(frame, fc.integer({ min: 0, max: 900 }), fc.boolean()), { maxLength: 40 });
    fc.assert(
      fc.property(fc.constantFrom(BARE, CLIENT, SERVER), fc.boolean(), steps, (options, open, script) => {
        const solo = open ? opened(options, MAGIC) : new Solo(options).begin();
        for (const [octets, pause, acknowledge] of script) {
          solo.hearFrame(octets);
          if (acknowledge) solo.hearAck(PPP_LCP);
          solo.wait(pause);
        }
        // Left alone, it ends: every time limit is there, and nothing is pending after the end.
        solo.wait(200_000);
        expect(solo.isDone).toBe(true);
        expect(solo.failure?.reason).not.toBe('');
        expect(solo.link.nextDeadline()).toBeUndefined();
        expect(solo.events.at(-1)?.kind).toBe('down');
      }),
      { numRuns: 300 },
    );
  });
});
