import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../../../../firmware/protocol/ike/v1/header.ts';
import { ExchangeType } from '../../../../../firmware/protocol/ike/v1/numbers.ts';
import { refusal } from '../fake-certificates.ts';
import { byCertificate } from './certificates.ts';
import type { Host } from './network.ts';
import { branch, connect, headOffice, initiate, makePair, type Pair, type PairOptions, psk } from './setup.ts';

const CLIENT_ID = { kind: 'fqdn', value: 'branch.example' } as const;
const SERVER_ID = { kind: 'fqdn', value: 'hq.example' } as const;
const OTHER_ID = { kind: 'fqdn', value: 'x.example' } as const;

const client = (extra = {}) =>
  branch({ ...byCertificate('client'), localId: CLIENT_ID, remoteId: SERVER_ID, ...extra });
const server = (extra = {}) =>
  headOffice({ ...byCertificate('server'), localId: SERVER_ID, remoteId: CLIENT_ID, ...extra });

const TOLD = 'CULVERT-CERTIFICATE-REFUSED';
const FLAWS = ['expired', 'not-yet-valid', 'identity', 'authority', 'revoked', 'unfit', 'signature'] as const;

/** Calls, and waits until both have given up. */
function run(options: PairOptions): Pair {
  const pair = connect(options);
  pair.network.run(40_000);
  expect([pair.client.endpoint.idle, pair.server.endpoint.idle]).toEqual([true, true]);
  return pair;
}

/** What was said of each end, and what it said. */
function words(host: Host) {
  return { reason: host.last('ike-down')?.failure.reason, remedy: host.last('ike-down')?.failure.remedy };
}

function traceOf({ client: caller, server: called }: Pair): string {
  return JSON.stringify([caller.all('trace'), called.all('trace')]);
}

describe.each(FLAWS)('a certificate that is refused for %s (Main Mode)', (flaw) => {
  const judge = (own: 'client' | 'server') => byCertificate(own, ['client', 'server'], refusal(flaw));

  it('of the caller is told apart on both sides, there as a word that nothing proves', () => {
    const pair = run({ client: client(), server: server(judge('server')) });
    expect(words(pair.server).reason).toBe(refusal(flaw).reason);
    expect(pair.client.last('ike-down')?.failure).toEqual({
      step: 'Main Mode 5',
      reason:
        'the peer does not accept our identity branch.example with our certificate: it says, before it has proved who ' +
        `it is, that it is wrong by its ${flaw}`,
      remedy: `mend its ${flaw}`,
      cause: 'refused',
    });
  });

  it('of the one that is called is told apart on both sides', () => {
    const pair = run({ client: client(judge('client')), server: server() });
    expect(words(pair.client).reason).toBe(refusal(flaw).reason);
    expect(words(pair.server)).toEqual({
      reason: `the peer does not accept our identity hq.example with our certificate: it says that it is wrong by its ${flaw}`,
      remedy: `mend its ${flaw}`,
    });
  });
});

describe('the reason of a refusal (Main Mode)', () => {
  const expired = (own: 'client' | 'server') => byCertificate(own, ['client', 'server'], refusal('expired'));

  it.each([
    ['the called', { server: server(expired('server')), clientOptions: { vendorId: false } }],
    ['the called', { server: server(expired('server')), serverOptions: { vendorId: false } }],
    ['the caller', { client: client(expired('client')), clientOptions: { vendorId: false } }],
    ['the caller', { client: client(expired('client')), serverOptions: { vendorId: false } }],
  ])('is not said by %s where one of the two does not show that it is a Culvert', (_who, options) => {
    const pair = run({ client: client(), server: server(), ...options });
    expect(traceOf(pair)).not.toContain(TOLD);
    const told = [words(pair.client), words(pair.server)].map(({ reason, remedy }) => `${reason}; ${remedy}`).join();
    expect(told).toMatch(
      /does not believe (the certificate of this side|who this side is).*; .*read (its log|the log of the peer)/,
    );
  });

  it('is said encrypted only', () => {
    const pair = run({ client: client(), server: server(expired('server')) });
    const informational = pair.network.sent
      .filter(({ from }) => from === pair.server)
      .map(({ datagram }) => decodeMessage(datagram).header)
      .filter(({ exchangeType }) => exchangeType === ExchangeType.informational);
    const told = pair.server.all('trace').filter(({ detail }) => detail === TOLD);
    expect(told.length).toBeGreaterThan(0);
    expect(informational.filter(({ flags }) => (flags & 1) !== 0)).toHaveLength(told.length);
    // Behind each of them what everybody is told, in clear.
    expect(informational).toHaveLength(2 * told.length);
  });

  it('is never said of keys', () => {
    const pair = run({ client: branch(psk('one')), server: headOffice(psk('another')) });
    expect(traceOf(pair)).not.toContain(TOLD);
    const named = run({ client: branch({ localId: OTHER_ID }), server: headOffice({ remoteId: CLIENT_ID }) });
    expect(traceOf(named)).not.toContain(TOLD);
  });

  it('names the identity to one who has proved that he is somebody else, and to nobody who has not', () => {
    const proved = run({ client: client({ localId: OTHER_ID }), server: server() });
    expect(words(proved.client).reason).toMatch(/it is wrong by its identity$/);
    const stranger = run({ client: client({ ...byCertificate('stranger'), localId: OTHER_ID }), server: server() });
    expect(words(stranger.server).reason).toMatch(/calls itself x\.example/);
    expect(traceOf(stranger)).not.toContain(TOLD);
  });

  it('is not believed where it was changed on its way, or comes in clear', () => {
    for (const change of ['octet', 'flag'] as const) {
      const pair = makePair({ client: client(), server: server(expired('server')) });
      let changed = 0;
      pair.network.mangle = ({ from, datagram }) => {
        if (from !== pair.server || datagram[18] !== ExchangeType.informational || datagram[19] !== 1) return datagram;
        changed += 1;
        const other = Uint8Array.from(datagram);
        if (change === 'flag') other[19] = 0;
        else other[other.length - 20] = (other.at(-20) ?? 0) ^ 1;
        return other;
      };
      initiate(pair);
      pair.network.run(40_000);
      expect(changed).toBeGreaterThan(0);
      expect(words(pair.client).reason).toMatch(/does not believe the certificate of this side/);
    }
  });
});
