/** What strongSwan and xl2tpd in a guest are tried with, as our server and as our client. */
import { expect } from 'vitest';
import type { BranchNetwork } from '../../scripts/lab/branch-network.ts';
import type { LabCulvert } from '../../scripts/lab/culvert.ts';
import { countTraffic } from '../../scripts/lab/l2tp-in-clear.ts';
import { IkeWitness } from './ike-witness.ts';

export const USER = { name: 'alice', password: 'alice-pw' };
export const PEER = { peer: 'strongSwan 5.9 + xl2tpd', mode: 'transport' } as const;

export const IKE: Readonly<Record<1 | 2, string>> = { 1: 'aes256-sha256-modp2048', 2: 'aes128-sha256-ecp256' };

/** ESP algorithms, and how strongSwan lists them. */
export const ESP_NAMES: Readonly<Record<string, string>> = {
  'aes256-sha256': 'AES_CBC-256/HMAC_SHA2_256_128',
  aes128gcm16: 'AES_GCM_16-128',
  '3des-sha1': '3DES_CBC/HMAC_SHA1_96',
};

/** Every version, way of ESP and cipher; `udp` is ESP in UDP without a NAT. */
export const CASES = ([1, 2] as const).flatMap((version) =>
  (['native', 'udp'] as const).flatMap((encapsulation) =>
    Object.keys(ESP_NAMES).map((esp) => ({ version, encapsulation, esp })),
  ),
);

/** So short that we renew both kinds of keys within a test. Seconds. */
export const SHORT_LIVES = { lifetimeSeconds: 20, ikeLifetimeSeconds: 20 };

/** What crossed the internet, looked at when all cases of a suite have run: nothing in clear, and as tshark reads it. */
export class Witness {
  readonly #ike = new IkeWitness();

  async start(network: BranchNetwork): Promise<void> {
    await this.#ike.start(network.internet, 'br0', '');
  }

  /** To be called while SAs stand: their keys are gone with them. */
  async keep(router: LabCulvert | undefined): Promise<void> {
    await this.#ike.keep(router);
  }

  async stop(): Promise<void> {
    try {
      const agreed = await this.#ike.agree();
      const seen = countTraffic(this.#ike.file);
      expect(seen.clearL2tp).toBe(0);
      expect(seen.esp + seen.espInUdp).toBeGreaterThan(0);
      // Down to L2TP and PPP in what our keys decrypt.
      for (const count of Object.values(agreed)) expect(count).toBeGreaterThan(CASES.length);
    } finally {
      await this.#ike.remove();
    }
  }
}
