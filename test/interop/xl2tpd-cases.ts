/** What strongSwan and xl2tpd in a guest are tried with, as our server and as our client. */
import { join } from 'node:path';
import { expect } from 'vitest';
import type { BranchNetwork } from '../../scripts/lab/branch-network.ts';
import { type Capture, startCapture } from '../../scripts/lab/capture.ts';
import { countTraffic } from '../../scripts/lab/l2tp-in-clear.ts';
import { createStateFolder, type StateFolder } from '../../scripts/lab/state-folder.ts';

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

/** What crossed the internet in clear, looked at when all cases of a suite have run. */
export class Witness {
  readonly #folder: StateFolder = createStateFolder('witness');
  readonly #file = join(this.#folder.path, 'internet.pcap');
  #capture: Capture | undefined;

  async start(network: BranchNetwork): Promise<void> {
    this.#capture = await startCapture({ namespace: network.internet, device: 'br0', file: this.#file });
  }

  async stop(): Promise<void> {
    await this.#capture?.stop();
    const seen = countTraffic(this.#file);
    this.#folder.remove();
    expect(seen.clearL2tp).toBe(0);
    expect(seen.esp + seen.espInUdp).toBeGreaterThan(0);
  }
}
