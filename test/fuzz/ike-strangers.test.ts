/**
 * What strangers can send before they have proved who they are, into endpoints of both versions and both roles.
 * 100,000 inputs; as many as one likes with `CULVERT_FUZZ_RUNS=10000000 npx vitest run test/fuzz/ike-strangers.test.ts`.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { IkeConnection } from '../../firmware/protocol/ike/ike-types.ts';
import { IkeV1Endpoint } from '../../firmware/protocol/ike/v1/endpoint.ts';
import { IkeV2Endpoint } from '../../firmware/protocol/ike/v2/endpoint.ts';
import { credentialOf, FakeTrust } from '../firmware/protocol/ike/fake-certificates.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { Strangers } from './ike-strangers.ts';

const RUNS = Number(process.env['CULVERT_FUZZ_RUNS'] ?? '100000');
const seed = Number(process.env['CULVERT_SEED'] ?? '1');
const MEBIBYTE = 1024 * 1024;
const HOUR_MS = 3_600_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heap(): number {
  for (let round = 0; round < 3; round += 1) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const ID = { kind: 'fqdn', value: 'gw.example' } as const;
const SIGNED: Partial<IkeConnection> = {
  localId: ID,
  authentication: { kind: 'certificate', credential: credentialOf(ID, 'rsa'), trust: new FakeTrust() },
};

const USER = { user: 'alice', password: 'wonder land' };
const ASKED: Partial<IkeConnection> = { xauthUsers: (user) => (user === USER.user ? USER.password : undefined) };

interface Kind {
  readonly version: 1 | 2;
  readonly what: string;
  /** How much of the inputs it gets. */
  readonly part: number;
  readonly overlay?: Partial<IkeConnection>;
  /** Of the one that is called, where it is another one. */
  readonly called?: Partial<IkeConnection>;
}

const KINDS: readonly Kind[] = [
  { version: 1, what: 'with a key', part: 0.5 },
  { version: 1, what: 'in Aggressive Mode', part: 0.1, overlay: { aggressive: true } },
  { version: 1, what: 'by signature', part: 0.1, overlay: SIGNED },
  { version: 1, what: 'by signature in Aggressive Mode', part: 0.1, overlay: { ...SIGNED, aggressive: true } },
  { version: 1, what: 'with a login', part: 0.1, overlay: { xauth: USER }, called: ASKED },
  { version: 2, what: 'with a key', part: 0.5 },
];

describe(`a stranger before authentication, seed ${seed}`, () => {
  it.each(KINDS)(
    'makes IKEv$version $what throw nothing and hold no more',
    { timeout: HOUR_MS },
    ({ version, what, part, overlay, called }) => {
      const strangers = new Strangers(version, seed, overlay, called);
      const share = Math.ceil(RUNS * part);
      strangers.run(Math.ceil(share / 5));
      const before = heap();
      const report = strangers.run(share - Math.ceil(share / 5));
      const after = heap();
      expect(report.inputs).toBeGreaterThanOrEqual(share);
      expect(report.mostHeld).toBeLessThanOrEqual(256 + 2);
      expect(after - before).toBeLessThan(3 * MEBIBYTE);
      // It got deep, and did not keep the two from meeting when it let them.
      expect(report.established).toBeGreaterThan(report.meetings / 20);
      for (const counters of report.counters) expect(counters['malformed']).toBeGreaterThan(share / 20);
      process.stdout.write(
        `IKEv${version} ${what}: ${report.inputs} inputs, ${report.meetings} meetings, ${report.established} up, `,
      );
      process.stdout.write(
        `heap ${((after - before) / MEBIBYTE).toFixed(2)} MiB more, ${JSON.stringify(report.counters)}\n`,
      );
    },
  );
});

describe('a flood of first messages from addresses that nobody has', () => {
  /** Counts what is drawn: a key exchange cannot be made without. */
  class Counting extends SeededRandom {
    readonly drawn = new Map<number, number>();

    override bytes(length: number): Uint8Array {
      this.drawn.set(length, (this.drawn.get(length) ?? 0) + 1);
      return super.bytes(length);
    }
  }

  const FLOOD = 20_000;
  const common = {
    name: 'anybody',
    remote: 'any',
    authentication: { kind: 'psk', key: new Uint8Array(16).fill(7) },
    mode: 'transport',
  } as const;
  const espProposals = [{ encryption: 'aes128', integrity: 'sha1', esn: false }];
  const V1: IkeConnection = {
    ...common,
    version: 1,
    ikeProposals: [{ encryption: 'aes128', integrity: 'sha256', prf: 'sha256', group: 'modp2048' }],
    espProposals,
  };
  const V2: IkeConnection = {
    ...common,
    version: 2,
    ikeProposals: [{ encryption: 'aes128gcm16', prf: 'sha256', group: 'x25519' }],
    espProposals,
  };
  const address = (index: number) => `198.18.${(index >> 8) & 255}.${index & 255}`;

  function flood(endpoint: IkeV1Endpoint | IkeV2Endpoint, first: Uint8Array, look: () => void): number {
    const random = new SeededRandom(seed);
    let octets = 0;
    for (let index = 0; index < FLOOD; index += 1) {
      const message = Uint8Array.from(first);
      message.set(random.bytes(8));
      const path = { local: { address: '192.0.2.2', port: 500 }, remote: { address: address(index), port: 500 } };
      endpoint.receive(0, message, path);
      for (let output = endpoint.poll(); output !== undefined; output = endpoint.poll()) {
        if (output.kind === 'send') octets += output.datagram.length;
      }
      look();
    }
    return octets / (FLOOD * first.length);
  }

  function firstMessage(endpoint: IkeV1Endpoint | IkeV2Endpoint, name: string): Uint8Array {
    const local = { address: '192.0.2.1', port: 500 };
    endpoint.initiate(0, name, { local, remote: { address: '192.0.2.2', port: 500 } });
    for (let output = endpoint.poll(); output !== undefined; output = endpoint.poll()) {
      if (output.kind === 'send') return output.datagram;
    }
    throw new Error('nothing was sent');
  }

  it('makes IKEv2 compute nothing above the threshold for a COOKIE, and answer with less than it got', () => {
    const random = new Counting(1);
    const endpoint = new IkeV2Endpoint({ connections: [V2] }, random);
    const first = firstMessage(
      new IkeV2Endpoint({ connections: [{ ...V2, remote: '192.0.2.2' }] }, new Counting(2)),
      'anybody',
    );
    let most = 0;
    const ratio = flood(endpoint, first, () => {
      most = Math.max(most, endpoint.views(0).length);
    });
    expect(most).toBe(16);
    // 16 private values and 16 nonces; the secret of the cookies.
    expect(random.drawn.get(32)).toBe(16 + 16 + 1);
    expect(endpoint.counters.cookieSent).toBe(FLOOD - 16);
    expect(ratio).toBeLessThan(1);
  });

  it('makes IKEv1 compute nothing at all, and hold no more than its limits', () => {
    const random = new Counting(1);
    const endpoint = new IkeV1Endpoint({ connections: [V1] }, random);
    const first = firstMessage(
      new IkeV1Endpoint({ connections: [{ ...V1, remote: '192.0.2.2' }] }, new Counting(2)),
      'anybody',
    );
    let most = 0;
    const ratio = flood(endpoint, first, () => {
      most = Math.max(most, endpoint.views().length);
    });
    expect(most).toBe(256);
    // Cookies, and nothing that a private value or a nonce could be made of.
    expect([...random.drawn]).toEqual([[8, 256]]);
    expect(ratio).toBeLessThan(1);
  });
});
