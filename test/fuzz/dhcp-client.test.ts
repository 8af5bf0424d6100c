/**
 * Replies of a DHCP server, tampered with. 4,000 of them; as many as one likes with
 * `CULVERT_FUZZ_RUNS=1000000 npx vitest run test/fuzz/dhcp-client.test.ts`.
 */
import { expect, it } from 'vitest';
import { DecodeError } from '../../firmware/protocol/bytes.ts';
import { DhcpClient } from '../../firmware/protocol/dhcp/client.ts';
import { clientIdentifier } from '../../firmware/protocol/dhcp/client-identity.ts';
import { decodeDhcp } from '../../firmware/protocol/dhcp/message.ts';
import { decodeUdpPacket } from '../../firmware/protocol/dhcp/udp-packet.ts';
import { parseCidr, parseIpv4 } from '../../firmware/protocol/ip-address.ts';
import { packetTo, TestDhcpServer } from '../support/dhcp-server.ts';
import { SeededRandom } from '../support/seeded-random.ts';

const RUNS = Number(process.env['CULVERT_FUZZ_RUNS'] ?? '4000');
const seed = Number(process.env['CULVERT_SEED'] ?? '1');
const MAC = Uint8Array.of(2, 0, 0, 0, 0x12, 0x34);

/** Some octets of it changed, cut off, or put in twice. */
function tamper(payload: Uint8Array, random: SeededRandom): Uint8Array {
  const bytes = payload.slice();
  for (let count = random.int(4); count >= 0; count -= 1) {
    // Mostly among the options, where there is something to get wrong.
    const at = random.int(3) === 0 ? random.int(bytes.length) : Math.min(240 + random.int(60), bytes.length - 1);
    bytes[at] = random.int(256);
  }
  if (random.int(8) === 0) return bytes.subarray(0, random.int(bytes.length));
  return random.int(8) === 0 ? Uint8Array.from([...bytes, ...bytes.subarray(240)]) : bytes;
}

it(`a client takes tampered replies without a fault, and no address that is none (seed ${seed})`, {
  timeout: 3_600_000,
}, () => {
  const random = new SeededRandom(seed);
  let decoded = 0;
  let bound = 0;
  for (let run = 0; run < RUNS; run += 1) {
    const server = new TestDhcpServer();
    const client = new DhcpClient({
      mac: MAC,
      clientIdentifier: clientIdentifier(MAC, undefined),
      mtu: 1500,
      random,
      judge: () => undefined,
    });
    let now = 0;
    client.start(now);
    for (let round = 0; round < 6; round += 1) {
      let outputs = 0;
      for (let output = client.poll(); output !== undefined; output = client.poll()) {
        outputs += 1;
        const answer = output.kind === 'send' ? server.receive(output.packet) : undefined;
        if (answer === undefined) continue;
        const { payload } = decodeUdpPacket(answer, false);
        const bytes = random.int(4) === 0 ? payload : tamper(payload, random);
        try {
          decodeDhcp(bytes);
          decoded += 1;
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
        }
        client.receive(now, packetTo(server.address, server.gives, bytes), MAC, false);
        client.receiveArp(now, random.bytes(28));
      }
      expect(outputs).toBeLessThan(40);
      now = client.nextDeadline() ?? now + 1000;
      client.tick(now);
      const address = parseCidr(client.lease?.address ?? '');
      if (client.lease === undefined) continue;
      bound += 1;
      expect(address?.length ?? 0).toBeGreaterThan(0);
      expect((address?.address ?? 0) >>> 24).not.toBe(127);
      expect(client.lease.dns.every((dns) => parseIpv4(dns) !== undefined)).toBe(true);
    }
  }
  process.stdout.write(`${RUNS} clients: ${decoded} replies decoded, ${bound} looks at a lease\n`);
  expect(decoded).toBeGreaterThan(RUNS / 2);
  expect(bound).toBeGreaterThan(RUNS / 10);
});
