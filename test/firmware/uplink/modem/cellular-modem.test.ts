import { readSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import {
  AsyncFrameDecoder,
  AsyncFrameEncoder,
  longestCoding,
} from '../../../../firmware/protocol/hdlc/async-framing.ts';
import { PppLink } from '../../../../firmware/protocol/ppp/link.ts';
import type { ModemLine } from '../../../../firmware/uplink/modem/modem-line.ts';
import type { ModemTraits } from '../../../../scripts/lab/modem/modem-traits.ts';
import { pppServer } from '../../../../scripts/lab/modem/ppp-server.ts';
import type { Carrier } from '../../../../scripts/lab/modem/simulated-modem.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { DriverBench } from './driver-bench.ts';

const ECHO: Carrier = (toTerminal) => ({ octets: toTerminal, end: () => undefined });

let bench: DriverBench;
afterEach(() => bench.close());

function benchWith(traits: Partial<ModemTraits> = {}, carrier = ECHO): DriverBench {
  bench = new DriverBench(carrier, traits);
  return bench;
}

const never = () => new AbortController().signal;

function descriptorOf(line: ModemLine): number {
  return line.carrier.kind === 'serial' ? line.carrier.descriptor : -1;
}

/** What a data plane would read there; it looks until something has come. */
async function readFrom(descriptor: number): Promise<Buffer> {
  const buffer = Buffer.alloc(4096);
  for (;;) {
    try {
      return buffer.subarray(0, readSync(descriptor, buffer));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await setImmediate();
    }
  }
}

describe('a modem on a pseudo-terminal', { timeout: 20_000 }, () => {
  it('is found by its USB id and says what it is', async () => {
    benchWith({ apn: 'internet.telekom' }).plug().start();
    await bench.ready();
    expect(bench.driver.status()).toMatchObject({
      name: 'lte',
      where: 'Quectel EC25/EG25 (2c7c:0125) on USB 1-1.2',
      data: 'ppp',
      model: 'EC25',
      imei: '490154203237518',
      operator: 'LabTel',
      signal: { rsrp: -81 },
      octetsThisMonth: 0,
      capOctets: undefined,
    });
    expect(bench.driver.credentials()).toEqual({ user: 'congstar', password: 'cs' });
    await bench.driver.stop();
    bench.start({ apn: 'internet' });
    expect(bench.driver.credentials()).toEqual({ user: 'anybody', password: 'anybody' });
  });

  it.each([
    ['two lines', [2, 3]],
    ['one line', [2]],
  ])('gives the descriptor of its line away, and takes it back: %s', async (_name, interfaces) => {
    benchWith({ noise: true, echoSurvives: true }).plug(interfaces).start();
    const line = await bench.driver.dial(never());
    expect(line.peer).toBe('CONNECT 150000000');
    expect(line.mru).toBe(1500);
    const descriptor = descriptorOf(line);
    writeSync(descriptor, '~frame~');
    expect((await readFrom(descriptor)).toString()).toContain('~frame~');
    expect(bench.driver.status().online).toBe(true);
    await line.hangUp();
    expect(bench.driver.status().online).toBe(false);
    await bench.ready();
    const next = await bench.driver.dial(never());
    await next.hangUp();
  });

  it('carries PPP to a server', async () => {
    const random = new SeededRandom(3);
    const assignment = { localAddress: '100.64.7.1', peerAddress: '100.64.7.2', dns: ['9.9.9.9'] };
    bench = new DriverBench((toTerminal, hangUp) =>
      pppServer({ clock: bench.clock, random, assignment })(toTerminal, hangUp),
    );
    bench.plug().start();
    const line = await bench.driver.dial(never());
    const descriptor = descriptorOf(line);
    const link = new PppLink({ mru: 1500, compressHeaders: false, ipcp: { role: 'client', requestDns: true } }, random);
    const encoder = new AsyncFrameEncoder();
    const decoder = new AsyncFrameDecoder(1504, (buffer, length) =>
      link.receive(bench.clock.now(), buffer.slice(2, length)),
    );
    const send = () => {
      for (let output = link.poll(); output !== undefined; output = link.poll()) {
        if (output.kind !== 'send') continue;
        const frame = Uint8Array.from([0xff, 3, ...output.frame]);
        const out = new Uint8Array(longestCoding(frame.length));
        writeSync(descriptor, out.subarray(0, encoder.write(frame, 0, frame.length, out, 0)));
      }
    };
    link.start(bench.clock.now());
    while (link.view.phase !== 'open') {
      send();
      decoder.push(await readFrom(descriptor));
    }
    expect(link.view).toMatchObject({ localAddress: '100.64.7.2', peerAddress: '100.64.7.1', dns: ['9.9.9.9'] });
    await line.hangUp();
  });

  it('with a network interface has that switched on and off instead', async () => {
    benchWith().plug().plugNetwork('usb0').start();
    const call = await bench.driver.dialEthernet(never());
    expect(call).toMatchObject({ device: 'usb0', peer: 'the network interface of the modem (Quectel)' });
    expect(bench.driver.status()).toMatchObject({ data: 'ethernet', online: true });
    await call.hangUp();
    expect(bench.modem.heard('AT+QNETDEVCTL')).toEqual(['AT+QNETDEVCTL=1,1,1', 'AT+QNETDEVCTL=1,0,0']);
    expect(bench.modem.heard('ATD')).toEqual([]);
    await bench.driver.stop();
    bench.start({ data: 'ppp' });
    const line = await bench.driver.dial(never());
    await line.hangUp();
  });

  it('that is unplugged in a call and comes back under other names is found again', async () => {
    benchWith().plug().start();
    const line = await bench.driver.dial(never());
    bench.unplug();
    expect((await line.ended).reason).toContain('the modem is gone');
    // Whoever used the descriptor has let go of it.
    await line.hangUp();
    bench.modem.restart();
    bench.plug();
    await bench.ready();
    const next = await bench.driver.dial(never());
    await next.hangUp();
  });

  it('that begins anew in a call says so', async () => {
    benchWith().plug().start();
    const line = await bench.driver.dial(never());
    bench.modem.restart();
    expect((await line.ended).reason).toBe('the modem began anew by itself (RDY)');
    await line.hangUp();
    await bench.ready();
  });

  it('speaks on another line than the table says', async () => {
    benchWith().plug([0]).start();
    await bench.ready();
  });

  it('that is not there is told, and a call fails with it', async () => {
    benchWith().start();
    await bench.until(() => bench.driver.status().failure !== undefined);
    await expect(bench.driver.dial(never())).rejects.toThrow('there is no modem of a known kind on USB');
    bench.plug();
    await bench.ready();
    expect(bench.driver.status().failure).toBeUndefined();
  });

  it('gets a wrong PIN once, over reboots of the router', async () => {
    benchWith({ pin: '4711' }).plug();
    for (let boots = 0; boots < 3; boots++) {
      bench.start({ pin: '1234' });
      await expect(bench.driver.dial(never())).rejects.toThrow('was tried once on this SIM and was wrong');
      await bench.driver.stop();
      bench.modem.restart();
    }
    expect(bench.modem.heard('AT+CPIN=')).toEqual(['AT+CPIN="1234"']);
    bench.start({ pin: '4711' });
    await bench.ready();
    expect(bench.log.join('\n')).not.toMatch(/1234|4711/);
  });

  it('is asked for one call at a time, and for none that is not wanted any more', async () => {
    benchWith({ registerMs: 4_000 }).plug().start();
    const wanted = new AbortController();
    const first = bench.driver.dial(wanted.signal);
    await expect(bench.driver.dial(never())).rejects.toThrow('in a call already');
    wanted.abort();
    await expect(first).rejects.toThrow('not wanted any more');
    await bench.ready();
    expect(bench.modem.heard('ATD')).toEqual([]);
  });

  it('is not used for more than the month may have', async () => {
    benchWith().plug().start({ monthlyMegabytes: 1 });
    const line = await bench.driver.dial(never());
    bench.driver.noteTraffic(999_999);
    bench.driver.noteTraffic(1);
    expect((await line.ended).step).toBe('data cap');
    await line.hangUp();
    await bench.driver.stop();
    bench.start({ monthlyMegabytes: 1 });
    await bench.ready();
    expect(bench.driver.status()).toMatchObject({ octetsThisMonth: 1_000_000, capOctets: 1_000_000 });
    await expect(bench.driver.dial(never())).rejects.toThrow('the 1 megabytes that are allowed');
  });

  it('sends and gets messages while it carries data', async () => {
    benchWith().plug().start();
    const line = await bench.driver.dial(never());
    expect(await bench.driver.sendMessage('+4915112345678', 'here')).toBeUndefined();
    expect(bench.modem.state.sent).toHaveLength(1);
    const came = new Promise((resolve) => {
      bench.driver.onMessage = resolve;
    });
    bench.modem.receive('07911326040000F0040B911346610089F60000208062917314800CC8F71D14969741F977FD07');
    expect(await came).toMatchObject({ text: 'How are you?' });
    await line.hangUp();
  });
});
