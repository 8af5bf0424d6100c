import { describe, expect, it } from 'vitest';
import { utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import type { Ipv4Assignment, PppLinkOptions } from '../../../../firmware/protocol/ppp/link-types.ts';
import { PPP_IPCP, PPP_LCP } from '../../../../firmware/protocol/ppp/protocol-numbers.ts';
import { option, Solo } from './simulation.ts';

const CLIENT: PppLinkOptions = { mru: 1400, ipcp: { role: 'client', requestDns: true } };
const ADDRESS = option(3, 10, 0, 0, 7);
const SERVER_ADDRESS = option(3, 10, 0, 0, 1);
const ZERO = [0, 0, 0, 0] as const;

function server(dns: readonly string[] = []): PppLinkOptions {
  const assignment: Ipv4Assignment = { localAddress: '10.0.0.1', peerAddress: '10.0.0.7', dns };
  return { mru: 1400, ipcp: { role: 'server', assign: () => assignment } };
}

/** A link whose LCP is opened, without authentication: IPCP has begun. */
function inNetworkPhase(options: PppLinkOptions): Solo {
  const solo = new Solo(options).begin();
  solo.hearAck(PPP_LCP).hearOptions(PPP_LCP, 1, 1, []);
  expect(solo.link.view.phase).toBe('network');
  return solo;
}

/** Answers our Configure-Request: a Configure-Nak or Configure-Reject with these options. */
function refuse(solo: Solo, code: 3 | 4, ...options: readonly ReturnType<typeof option>[]): Solo {
  return solo.hearOptions(PPP_IPCP, code, solo.last(PPP_IPCP, 1).identifier, options);
}

describe('IPCP as a client', () => {
  it('asks for an address and two name servers, and takes what it is given', () => {
    const solo = inNetworkPhase(CLIENT);
    expect(solo.lastOptions(PPP_IPCP, 1)).toEqual([option(3, ...ZERO), option(129, ...ZERO), option(131, ...ZERO)]);
    refuse(solo, 3, ADDRESS, option(129, 9, 9, 9, 9), option(131, 1, 1, 1, 1));
    solo.hearAck(PPP_IPCP).hearOptions(PPP_IPCP, 1, 1, [SERVER_ADDRESS]);
    expect(solo.eventsOf('network-up')).toEqual([
      { kind: 'network-up', localAddress: '10.0.0.7', peerAddress: '10.0.0.1', dns: ['9.9.9.9', '1.1.1.1'] },
    ]);
  });

  it('asks for no name servers where none are wanted, and ignores those suggested', () => {
    const solo = inNetworkPhase({ ...CLIENT, ipcp: { role: 'client', requestDns: false } });
    expect(solo.lastOptions(PPP_IPCP, 1)).toEqual([option(3, ...ZERO)]);
    refuse(solo, 3, ADDRESS, option(129, 9, 9, 9, 9));
    expect(solo.lastOptions(PPP_IPCP, 1)).toEqual([ADDRESS]);
  });

  it('asks for the address that is configured, but takes another one', () => {
    const solo = inNetworkPhase({ ...CLIENT, ipcp: { role: 'client', requestDns: false, address: '10.0.0.3' } });
    expect(solo.lastOptions(PPP_IPCP, 1)).toEqual([option(3, 10, 0, 0, 3)]);
    refuse(solo, 3, ADDRESS);
    expect(solo.lastOptions(PPP_IPCP, 1)).toEqual([ADDRESS]);
  });

  it('goes on without name servers when the peer rejects them', () => {
    const solo = inNetworkPhase(CLIENT);
    refuse(solo, 4, option(129, ...ZERO), option(131, ...ZERO));
    refuse(solo, 3, ADDRESS);
    solo.hearAck(PPP_IPCP).hearOptions(PPP_IPCP, 1, 1, [SERVER_ADDRESS]);
    expect(solo.link.view).toMatchObject({ phase: 'open', dns: [], localAddress: '10.0.0.7' });
  });

  it('names a name server once that was given twice, and none that is 0.0.0.0', () => {
    const solo = inNetworkPhase(CLIENT);
    refuse(solo, 3, ADDRESS, option(129, 9, 9, 9, 9), option(131, 9, 9, 9, 9));
    solo.hearAck(PPP_IPCP).hearOptions(PPP_IPCP, 1, 1, [SERVER_ADDRESS]);
    expect(solo.link.view.dns).toEqual(['9.9.9.9']);
    const other = inNetworkPhase({ ...CLIENT, ipcp: { role: 'client', requestDns: true, address: '10.0.0.3' } });
    other.hearAck(PPP_IPCP).hearOptions(PPP_IPCP, 1, 1, [SERVER_ADDRESS]);
    expect(other.link.view.dns).toEqual([]);
  });

  it.each([
    ['suggests 0.0.0.0', 3 as const, option(3, ...ZERO)],
    ['will not talk about an address', 4 as const, option(3, ...ZERO)],
  ])('ends with words when the server %s', (_, code, refusal) => {
    const solo = refuse(inNetworkPhase(CLIENT), code, refusal).wait(3000);
    expect(solo.failure?.step).toBe('IPCP');
    expect(solo.failure?.reason).toContain('the server gave us no IP address');
  });

  it('ends with words when the server acknowledges 0.0.0.0', () => {
    const solo = inNetworkPhase(CLIENT).hearAck(PPP_IPCP).wait(3000);
    expect(solo.failure?.reason).toContain('it acknowledged 0.0.0.0');
  });

  it('comes up with a server that does not tell its address', () => {
    const solo = refuse(inNetworkPhase(CLIENT), 3, ADDRESS).hearAck(PPP_IPCP).hearOptions(PPP_IPCP, 1, 1, []);
    expect(solo.link.view).toMatchObject({ phase: 'open', peerAddress: '0.0.0.0' });
  });

  it('comes up with a server that announces 0.0.0.0, rejecting it once', () => {
    const solo = refuse(inNetworkPhase(CLIENT), 3, ADDRESS).hearAck(PPP_IPCP);
    solo.hearOptions(PPP_IPCP, 1, 1, [option(3, ...ZERO)]);
    expect(solo.lastOptions(PPP_IPCP, 4)).toEqual([option(3, ...ZERO)]);
    solo.hearOptions(PPP_IPCP, 1, 2, [option(3, ...ZERO)]);
    expect(solo.link.view).toMatchObject({ phase: 'open', peerAddress: '0.0.0.0' });
  });

  it('rejects header compression, name servers and NBNS that the server asks us for', () => {
    const solo = inNetworkPhase(CLIENT);
    const refused = [option(2, 0, 0x2d, 15, 1), option(129, ...ZERO), option(130, ...ZERO), option(1, 1, 2, 3, 4)];
    solo.hearOptions(PPP_IPCP, 1, 1, [SERVER_ADDRESS, ...refused]);
    expect(solo.lastOptions(PPP_IPCP, 4)).toEqual(refused);
  });

  it('waits for a server that takes its time, and ends with words after thirty seconds', () => {
    const solo = inNetworkPhase(CLIENT);
    // The echoes are answered: the peer is alive and silent about IPCP.
    for (let second = 1; second < 30; second += 1) solo.wait(1000).hear(PPP_LCP, 10, 1, [0, 0, 0, 0]);
    expect(solo.link.view.phase).toBe('network');
    solo.wait(5000);
    expect(solo.failure).toMatchObject({
      step: 'IPCP',
      reason: 'the peer accepted the link but said nothing about IP addresses for 30 s',
    });
  });

  it('tells what the server said when it closes IPCP instead of negotiating', () => {
    const solo = inNetworkPhase(CLIENT).hear(PPP_IPCP, 5, 1, utf8Bytes('pool empty'));
    expect(solo.sentOf(PPP_IPCP, 6)).toHaveLength(1);
    solo.wait(35_000);
    expect(solo.failure?.reason).toContain('"pool empty"');
  });
});

describe('IPCP as a server', () => {
  it('gives the peer its address and name servers', () => {
    const solo = inNetworkPhase(server(['9.9.9.9']));
    solo.hearOptions(PPP_IPCP, 1, 1, [option(3, ...ZERO), option(129, ...ZERO)]);
    expect(solo.lastOptions(PPP_IPCP, 3)).toEqual([ADDRESS, option(129, 9, 9, 9, 9)]);
    solo.hearOptions(PPP_IPCP, 1, 2, [ADDRESS, option(129, 9, 9, 9, 9)]).hearAck(PPP_IPCP);
    expect(solo.link.view).toMatchObject({ phase: 'open', localAddress: '10.0.0.1', peerAddress: '10.0.0.7' });
  });

  it('rejects name servers that it has not', () => {
    const solo = inNetworkPhase(server(['9.9.9.9']));
    solo.hearOptions(PPP_IPCP, 1, 1, [ADDRESS, option(129, ...ZERO), option(131, ...ZERO), option(130, ...ZERO)]);
    expect(solo.lastOptions(PPP_IPCP, 4)).toEqual([option(131, ...ZERO), option(130, ...ZERO)]);
  });

  it('does not let the peer choose its address', () => {
    const solo = inNetworkPhase(server());
    for (let round = 1; round <= 5; round += 1) {
      solo.hearOptions(PPP_IPCP, 1, round, [option(3, 192, 168, 1, round)]);
      expect(solo.lastOptions(PPP_IPCP, 3)).toEqual([ADDRESS]);
    }
    // Max-Failure: from now on the option is rejected.
    solo.hearOptions(PPP_IPCP, 1, 6, [option(3, 192, 168, 1, 6)]);
    expect(solo.lastOptions(PPP_IPCP, 4)).toEqual([option(3, 192, 168, 1, 6)]);
  });

  it('tells a peer that names no address what its address is', () => {
    const solo = inNetworkPhase(server()).hearOptions(PPP_IPCP, 1, 1, []);
    expect(solo.lastOptions(PPP_IPCP, 3)).toEqual([ADDRESS]);
  });

  it('gives the same address after a renegotiation, and asks for it once', () => {
    let asked = 0;
    const solo = inNetworkPhase({
      mru: 1400,
      ipcp: {
        role: 'server',
        assign: () => {
          asked += 1;
          return { localAddress: '10.0.0.1', peerAddress: '10.0.0.7', dns: [] };
        },
      },
    });
    solo.hearOptions(PPP_LCP, 1, 9, []).hearAck(PPP_LCP);
    expect(solo.eventsOf('link-up')).toHaveLength(2);
    solo.hearOptions(PPP_IPCP, 1, 1, [ADDRESS]).hearAck(PPP_IPCP);
    expect(solo.isOpen).toBe(true);
    expect(asked).toBe(1);
  });
});

describe('IPCP once opened', () => {
  function open(): Solo {
    const solo = refuse(inNetworkPhase(CLIENT), 3, ADDRESS).hearAck(PPP_IPCP);
    return solo.hearOptions(PPP_IPCP, 1, 1, [SERVER_ADDRESS]);
  }

  it('stops user packets while it is renegotiated', () => {
    const solo = open().hearOptions(PPP_IPCP, 1, 2, [option(3, 10, 0, 0, 2)]);
    expect(solo.story.slice(-2)).toEqual(['network-down', 'phase network']);
    refuse(solo, 3, option(3, 10, 0, 0, 8)).hearAck(PPP_IPCP);
    expect(solo.story.slice(-2)).toEqual(['network-up', 'phase open']);
    expect(solo.link.view).toMatchObject({ localAddress: '10.0.0.8', peerAddress: '10.0.0.2' });
  });

  it('ends the link with words when the peer closes it', () => {
    const solo = open().hear(PPP_IPCP, 5, 3, utf8Bytes('bye'));
    expect(solo.story).toContain('network-down');
    solo.wait(5000);
    expect(solo.failure).toMatchObject({ step: 'IPCP', reason: 'the peer closed IPCP: "bye"' });
  });

  it('rejects codes that only LCP has', () => {
    const solo = open().hear(PPP_IPCP, 9, 3, [0, 0, 0, 0]);
    expect(solo.sentOf(PPP_IPCP, 7)).toHaveLength(1);
    expect(solo.isOpen).toBe(true);
  });

  it('ends with words when the peer rejects IP itself', () => {
    const solo = open().hear(PPP_LCP, 8, 1, [0x00, 0x21, 0x45]).wait(3000);
    expect(solo.failure?.step).toBe('IPCP');
  });
});
