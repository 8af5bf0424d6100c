/** Whose a first message is, and why; and what comes of it where a caller is refused. */
import { describe, expect, it } from 'vitest';
import { HEADER_OCTETS } from '../../../../../firmware/protocol/ike/message-header.ts';
import {
  type FirstFlight,
  likenessText,
  recognisePeer,
} from '../../../../../firmware/protocol/ike/profiles/recognition.ts';
import { parseIkeProposal } from '../../../../../firmware/protocol/ike/proposal-text.ts';
import { IkeV1Endpoint } from '../../../../../firmware/protocol/ike/v1/endpoint.ts';
import { firstFlightOf as firstFlightOfV1 } from '../../../../../firmware/protocol/ike/v1/first-flight.ts';
import { decodeMessage } from '../../../../../firmware/protocol/ike/v1/header.ts';
import { decodePayloads } from '../../../../../firmware/protocol/ike/v1/payload.ts';
import { IkeV2Endpoint } from '../../../../../firmware/protocol/ike/v2/endpoint.ts';
import { decodeHeader } from '../../../../../firmware/protocol/ike/v2/header.ts';
import { firstFlightOf as firstFlightOfV2 } from '../../../../../firmware/protocol/ike/v2/init-exchange.ts';
import { decodeChain } from '../../../../../firmware/protocol/ike/v2/payload.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { CLIENT, connect, l2tpClient, l2tpServer, SERVER } from '../v1/setup.ts';
import { Harness, RIGHT } from '../v2/harness.ts';
import { FIRST_FLIGHTS, ikeSaInit, mainMode1 } from './first-flights.ts';

function flightOf(datagram: Uint8Array): FirstFlight {
  if ((datagram[17] ?? 0) >> 4 === 1) {
    const { header, body } = decodeMessage(datagram);
    return firstFlightOfV1(decodePayloads(header.nextPayload, body), 'caller');
  }
  const { payloads } = decodeChain(decodeHeader(datagram).nextPayload, datagram.subarray(HEADER_OCTETS));
  return firstFlightOfV2(payloads, 'caller');
}

const VENDOR_ID = 'its vendor id';
const IN_ORDER = 'which vendor ids come in which order';

/** Profile, others that fit as well, and why. */
type Expected = readonly [profile: string, or: readonly string[], because: string] | undefined;

const EXPECTED: Readonly<Record<keyof typeof FIRST_FLIGHTS, Expected>> = {
  'Windows 10, IKEv1': [
    'windows-client',
    [],
    `${VENDOR_ID}, and 5 proposals with aes256-sha1-ecp384 first, and a lifetime of 28800 seconds`,
  ],
  'Windows 11, IKEv2': ['windows-client', [], `${VENDOR_ID}, and 3des-sha1-modp1024 first`],
  'Windows with a custom policy, IKEv2': ['windows-client', [], VENDOR_ID],
  'macOS or iOS, IKEv1': [
    'macos',
    ['ios'],
    `${VENDOR_ID}, and 14 proposals with aes256-sha256-modp2048 first, and a lifetime of 3600 seconds`,
  ],
  'macOS or iOS, IKEv2': ['macos', ['ios'], '4 proposals with aes256gcm16-prfsha256-ecp256 first'],
  'Android 5': ['android-legacy', [], '8 proposals with aes256-sha1-modp1024 first, and a lifetime of 28800 seconds'],
  'Android 7': [
    'android-legacy',
    [],
    '10 proposals with aes256-sha384-modp1024 first, and a lifetime of 28800 seconds',
  ],
  RouterOS: ['routeros', [], '4 proposals with aes128-sha1-modp2048 first, and a lifetime of 86400 seconds'],
  'FortiGate, IKEv1': [
    'fortigate',
    [],
    `${VENDOR_ID}, and aes256-sha1-modp2048 alone, and a lifetime of 28800 seconds`,
  ],
  'FortiGate, IKEv2': ['fortigate', [], VENDOR_ID],
  'Cisco IOS, IKEv1': ['cisco-ios', [], `${IN_ORDER}, and 3des-sha1-modp1024 alone, and a lifetime of 28800 seconds`],
  'Cisco IOS, IKEv2': ['cisco-ios', [], VENDOR_ID],
  'Cisco ASA': ['cisco-asa', [], IN_ORDER],
  'strongSwan, IKEv1': ['strongswan', [], IN_ORDER],
  'strongSwan that names itself, IKEv2': ['strongswan', [], VENDOR_ID],
  'strongSwan that offers what Windows does': ['strongswan', [], IN_ORDER],
  'Libreswan that names itself, IKEv1': ['libreswan', [], VENDOR_ID],
  'Libreswan that names itself, IKEv2': ['libreswan', [], VENDOR_ID],
  'Culvert of an unknown release, IKEv1': ['culvert', [], VENDOR_ID],
  'one proposal of anybody, IKEv1': undefined,
  'one proposal of anybody, IKEv2': undefined,
};

describe('recognising a peer', () => {
  it.each(Object.entries(EXPECTED))('takes the first message of %s for what it is', (name, expected) => {
    const datagram = FIRST_FLIGHTS[name as keyof typeof FIRST_FLIGHTS];
    const found = recognisePeer(flightOf(datagram));
    expect(found && [found.profile, found.or, found.because]).toEqual(expected);
  });

  it('says so when two cannot be told apart', () => {
    const found = recognisePeer(flightOf(FIRST_FLIGHTS['macOS or iOS, IKEv2']));
    expect(found && likenessText(found)).toBe('macOS or iOS (4 proposals with aes256gcm16-prfsha256-ecp256 first)');
  });

  it('tells a Windows server, which is called, from a client by who called', () => {
    const flight = flightOf(FIRST_FLIGHTS['Windows 10, IKEv1']);
    expect(recognisePeer({ ...flight, role: 'called' })?.profile).toBe('windows-server');
  });

  it('looks at no more than is reasonable of what a stranger sends', () => {
    const flight = flightOf(FIRST_FLIGHTS['Windows 10, IKEv1']);
    const many = (length: number): string[] => Array.from({ length }, (_, index) => `encryption#${index}`);
    const wide = { encryption: many(4000), integrity: many(4000), prf: many(4000), group: many(4000) };
    const huge: FirstFlight = {
      ...flight,
      vendorIds: [...new Array<Uint8Array>(5000).fill(new Uint8Array(60_000)), ...flight.vendorIds],
      offers: new Array(500).fill(wide),
    };
    const started = performance.now();
    expect(recognisePeer(huge)).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('is part of what is known of a peer whose SA stands, in either role and version', () => {
    const one = connect({});
    expect(one.server.endpoint.views()[0]?.peer?.looksLike?.profile).toBe('culvert');
    expect(one.client.endpoint.views()[0]?.peer?.looksLike?.profile).toBe('culvert');
    const two = new Harness().connect();
    expect(two.live('left')[0]?.peer.looksLike?.profile).toBe('culvert');
    expect(two.live('right')[0]?.peer.looksLike?.profile).toBe('culvert');
  });
});

describe('a caller whose proposals fit nothing', () => {
  const path = { local: { address: SERVER, port: 500 }, remote: { address: CLIENT, port: 500 } };
  const strict = (text: string) => {
    const parsed = parseIkeProposal(text);
    if (!parsed.ok) throw new Error(parsed.reason);
    return { ikeProposals: parsed.proposals };
  };

  /** The remedy that is told, and everything that goes to the peer. */
  function refused(datagram: Uint8Array): { readonly remedy: string; readonly sent: readonly Uint8Array[] } {
    const endpoint =
      (datagram[17] ?? 0) >> 4 === 1
        ? new IkeV1Endpoint({ connections: [l2tpServer(strict('aes256-sha512-modp4096'))] }, new SeededRandom(1))
        : new IkeV2Endpoint({ connections: [{ ...RIGHT, ...strict('aes256-sha512-modp4096') }] }, new SeededRandom(1));
    endpoint.receive(0, datagram, path);
    let remedy = '';
    const sent: Uint8Array[] = [];
    for (let output = endpoint.poll(); output !== undefined; output = endpoint.poll()) {
      if (output.kind === 'ike-down') remedy = output.failure.remedy;
      if (output.kind === 'send') sent.push(output.datagram);
    }
    return { remedy, sent };
  }

  it.each([
    ['Windows 10, IKEv1', 'windows-client', 'Windows'],
    ['Windows 11, IKEv2', 'windows-client', 'Windows'],
    ['Android 7', 'android-legacy', 'Android'],
    ['FortiGate, IKEv1', 'fortigate', 'FortiGate'],
    ['macOS or iOS, IKEv2', 'macos', 'macOS or iOS'],
  ] as const)('is told apart, and its profile suggested: %s', (name, profile, family) => {
    const { remedy, sent } = refused(FIRST_FLIGHTS[name]);
    expect(remedy).toContain(`this looks like ${family} (`);
    expect(remedy).toContain(
      `: set the profile "${profile}" here, with no list "ike" of its own; or let the peer offer`,
    );
    // The peer learns nothing of it.
    expect(sent).toHaveLength(1);
    expect(Buffer.from(sent[0] ?? []).includes(profile)).toBe(false);
  });

  it('is not told a profile that would not take it either', () => {
    const windows = '1e2b516905991c7d7c96fcbfb587e46100000009';
    const { remedy } = refused(ikeSaInit(['aes192-sha512-ecp256'], [windows]));
    expect(remedy).toMatch(/^this looks like Windows \(its vendor id\): let the peer offer/);
  });

  it('is told the same where it is the child SA that fits nothing', () => {
    const esp = [{ encryption: 'aes256gcm16', esn: false }];
    const server = l2tpServer({ espProposals: [{ encryption: '3des', integrity: 'sha512', esn: false }] });
    const { server: called } = connect({ client: l2tpClient({ espProposals: esp }), server });
    expect(called.last('ike-down')?.failure.remedy).toMatch(
      /^this looks like Culvert \(its vendor id\): set the profile "culvert" here, with no list "esp" of its own; or/,
    );
    const two = new Harness({
      left: { espProposals: esp },
      right: { espProposals: [{ encryption: 'aes128ctr', integrity: 'sha512', esn: false }] },
    }).connect();
    const told = two.events.right.flatMap((output) => ('failure' in output ? (output.failure?.remedy ?? []) : []));
    expect(told[0]).toMatch(/^this looks like Culvert .* no list "esp"/);
  });

  it('is told nothing of the kind when it looks like nobody', () => {
    const hand = { lifeFirst: false, longLife: false, apart: false };
    expect(refused(mainMode1(['aes256-sha1-modp2048'], 3600, hand, [])).remedy).toMatch(/^let the peer offer/);
  });
});
