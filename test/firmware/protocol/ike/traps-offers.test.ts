/** What clients offer, written as they write it, and what our responder takes of it by default. */
import { describe, expect, it } from 'vitest';
import { IKEV1_DEFAULTS, IKEV2_DEFAULTS } from '../../../../firmware/protocol/ike/default-offers.ts';
import {
  formatEspProposal,
  formatIkeProposal,
  parseEspProposal,
  parseIkeProposal,
} from '../../../../firmware/protocol/ike/proposal-text.ts';
import { chooseEspProposal, chooseIkeProposal } from '../../../../firmware/protocol/ike/proposals.ts';
import { IkeV1Endpoint } from '../../../../firmware/protocol/ike/v1/endpoint.ts';
import { decodeMessage } from '../../../../firmware/protocol/ike/v1/header.ts';
import { PayloadType } from '../../../../firmware/protocol/ike/v1/numbers.ts';
import { decodePayloads, onlyBody } from '../../../../firmware/protocol/ike/v1/payload.ts';
import { plainMessage } from '../../../../firmware/protocol/ike/v1/phase1.ts';
import { phase1Answer, phase1Offers } from '../../../../firmware/protocol/ike/v1/phase1-transforms.ts';
import { chosenEspProposal, phase2Offers } from '../../../../firmware/protocol/ike/v1/phase2-transforms.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { espSa, type Hand, phase1Sa } from './raw-offers.ts';
import { CLIENT, connect, l2tpClient, l2tpServer, SERVER } from './v1/setup.ts';
import { Harness, problems } from './v2/harness.ts';

const NOTHING = new Uint8Array(0);

interface Endpoint {
  readonly ike: readonly string[];
  readonly esp: readonly string[];
  /** Seconds. */
  readonly lives: readonly [number, number];
  readonly hand: Hand;
  /** What comes out. */
  readonly chosen: readonly [string, string];
}

const combine = (...kinds: readonly (readonly string[])[]): readonly string[] =>
  kinds.reduce(
    (texts, kind) => texts.flatMap((text) => kind.map((name) => (text === '' ? name : `${text}-${name}`))),
    [''],
  );

const WINDOWS: Hand = { lifeFirst: false, longLife: true, kilobytes: 250_000, apart: true };
const RACOON: Hand = { lifeFirst: true, longLife: false, apart: false };
const RACOON_ESP = combine(['aes256', 'aes128', '3des'], ['sha1', 'md5']);
const ANDROID_IKE = combine(['aes256', 'aes128', '3des', 'des'], ['sha1', 'md5'], ['modp1024']);

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  Windows: {
    ike: [
      'aes256-sha1-ecp384',
      'aes128-sha1-ecp256',
      'aes256-sha1-modp2048',
      '3des-sha1-modp2048',
      '3des-sha1-modp1024',
    ],
    esp: ['aes128-sha1', '3des-sha1'],
    lives: [28_800, 3600],
    hand: WINDOWS,
    chosen: ['aes256-sha1-ecp384', 'aes128-sha1'],
  },
  'macOS and iOS': {
    ike: [
      ...combine(['aes256'], ['sha256', 'sha1', 'md5', 'sha512'], ['modp2048']),
      ...combine(['aes256'], ['sha256', 'sha1', 'md5'], ['modp1536']),
      ...combine(['aes256'], ['sha256', 'sha1', 'md5'], ['modp1024']),
      ...combine(['aes128', '3des'], ['sha1', 'md5'], ['modp1024']),
    ],
    esp: RACOON_ESP,
    lives: [3600, 3600],
    hand: RACOON,
    chosen: ['aes256-sha256-modp2048', 'aes256-sha1'],
  },
  Android: {
    ike: ANDROID_IKE,
    esp: RACOON_ESP,
    lives: [28_800, 28_800],
    hand: RACOON,
    chosen: ['aes256-sha1-modp1024', 'aes256-sha1'],
  },
  // It truncates HMAC-SHA2-256 in ESP to 96 bits, so SHA-1 must come out.
  'Android 6 and 7': {
    ike: [...combine(['aes256'], ['sha384', 'sha256'], ['modp1024']), ...ANDROID_IKE],
    esp: [...combine(['aes256', 'aes128'], ['sha256']), ...RACOON_ESP],
    lives: [28_800, 28_800],
    hand: RACOON,
    chosen: ['aes256-sha256-modp1024', 'aes256-sha1'],
  },
  RouterOS: {
    ike: combine(['aes128', '3des'], ['sha1'], ['modp2048', 'modp1024']),
    esp: combine(['aes256', 'aes192', 'aes128'], ['sha1'], ['modp1024']),
    lives: [86_400, 1800],
    hand: RACOON,
    chosen: ['aes128-sha1-modp2048', 'aes256-sha1-modp1024'],
  },
  'Cisco IOS': {
    ike: ['3des-sha1-modp1024'],
    esp: ['3des-sha1'],
    lives: [28_800, 3600],
    hand: { ...RACOON, longLife: true, kilobytes: 4_608_000, kilobytesFirst: true },
    chosen: ['3des-sha1-modp1024', '3des-sha1'],
  },
  FortiGate: {
    ike: ['aes256-sha1-modp2048'],
    esp: ['aes128-sha1'],
    lives: [28_800, 3600],
    hand: RACOON,
    chosen: ['aes256-sha1-modp2048', 'aes128-sha1'],
  },
};

/** UDP-Encapsulated-Transport (RFC 3947 section 5.1). */
const UDP_TRANSPORT = 4;

describe.each(Object.entries(ENDPOINTS))('our responder, called by %s', (_, { ike, esp, lives, hand, chosen }) => {
  const { acceptable } = IKEV1_DEFAULTS;
  const accepting = { ikeProposals: acceptable.ike, espProposals: acceptable.esp };

  it('answers message 1 with one of its transforms, octet for octet', () => {
    const random = new SeededRandom(3);
    const server = new IkeV1Endpoint({ connections: [l2tpServer(accepting)] }, random);
    const saBody = phase1Sa(ike, lives[0], hand);
    const message1 = plainMessage(random.bytes(8), new Uint8Array(8), [{ type: PayloadType.sa, body: saBody }]);
    const there = { local: { address: SERVER, port: 500 }, remote: { address: CLIENT, port: 500 } };
    server.receive(0, message1, there);
    const sent: Uint8Array[] = [];
    for (let output = server.poll(); output !== undefined; output = server.poll()) {
      if (output.kind === 'send') sent.push(output.datagram);
    }
    const { header, body } = decodeMessage(sent[0] ?? NOTHING);
    const answer = phase1Answer(onlyBody(decodePayloads(header.nextPayload, body), PayloadType.sa, 'SA').slice());
    const found = chooseIkeProposal([answer.offer], acceptable.ike, { version: 1 });
    expect(found && formatIkeProposal(found.proposal)).toBe(chosen[0]);
    expect(answer.lifetime).toBe(lives[0]);
    const offered = phase1Offers(saBody).find(({ transform }) => transform.number === answer.transform.number);
    expect(answer.transform).toEqual(offered?.transform);
  });

  it('understands what it offers for ESP', () => {
    const offers = phase2Offers(espSa(esp, UDP_TRANSPORT, lives[1], hand));
    expect(offers).toHaveLength(esp.length);
    const choice = chooseEspProposal(
      offers.map(({ offer }) => offer),
      acceptable.esp,
      { version: 1 },
    );
    expect(choice && formatEspProposal(choice.proposal)).toBe(chosen[1]);
    const taken = offers[choice?.index ?? 0];
    expect(taken).toMatchObject({ lifetime: lives[1], mode: UDP_TRANSPORT, spi: 0xc0000001 });
    if (taken === undefined) throw new Error('nothing was chosen');
    expect(chosenEspProposal(taken, 0x1234).transforms).toEqual([taken.transform]);
  });

  it('comes up behind a NAT with the algorithms, the group and the shorter lifetimes that are expected', () => {
    const known = (texts: readonly string[]) => texts.filter((text) => !text.startsWith('des-'));
    const client = l2tpClient({
      ikeProposals: known(ike).flatMap((text) => {
        const parsed = parseIkeProposal(text);
        return parsed.ok ? parsed.proposals : [];
      }),
      espProposals: esp.flatMap((text) => {
        const parsed = parseEspProposal(text);
        return parsed.ok ? parsed.proposals : [];
      }),
      transportPorts: { protocol: 17, local: 54_321, remote: 1701 },
      ikeLifetime: lives[0],
      childLifetime: lives[1],
    });
    const { server, network } = connect({ client, server: l2tpServer(accepting), clientBehindNat: true });
    const [view] = server.endpoint.views();
    expect(view?.proposal && formatIkeProposal(view.proposal)).toBe(chosen[0]);
    const [child] = view?.children ?? [];
    expect(child && formatEspProposal(child.proposal)).toBe(chosen[1]);
    const [up] = server.all('child-up');
    expect(up?.child.lifetime).toBe(Math.min(3600, lives[1]));
    expect(up?.child.remoteSelectors[0]?.firstPort).toBe(54_321);
    expect((view?.expiresAt ?? 0) - network.now).toBeLessThanOrEqual(Math.min(14_400, lives[0]) * 1000);
  });
});

describe('our responder of IKEv2', () => {
  const { acceptable } = IKEV2_DEFAULTS;
  const esp = (text: string) => {
    const parsed = parseEspProposal(text);
    return parsed.ok ? parsed.proposals : [];
  };

  it.each([
    ['macOS', ['aes256gcm16-prfsha256-ecp256'], 'aes256gcm16', 'aes256gcm16-prfsha256-ecp256'],
    ['macOS with CBC', ['aes256-sha256-modp2048'], 'aes256-sha256', 'aes256-sha256-modp2048'],
    [
      'Windows, unless told otherwise',
      ['aes256-sha1-modp1024', '3des-sha1-modp1024'],
      'aes256-sha1',
      'aes256-sha1-modp1024',
    ],
  ])('takes what %s offers', (_, ike, child, chosen) => {
    const ikeProposals = ike.flatMap((text) => {
      const parsed = parseIkeProposal(text);
      return parsed.ok ? parsed.proposals : [];
    });
    const harness = new Harness({
      left: { ikeProposals, espProposals: esp(child) },
      right: { ikeProposals: acceptable.ike, espProposals: acceptable.esp },
    }).connect();
    expect(problems(harness)).toEqual([]);
    const [view] = harness.live('right');
    expect(view?.proposal && formatIkeProposal(view.proposal)).toBe(chosen);
  });
});
