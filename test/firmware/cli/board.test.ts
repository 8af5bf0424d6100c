import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlClient } from '../../../firmware/api/client.ts';
import { runCommandLine } from '../../../firmware/cli/command-line.ts';
import { BOARD } from '../api/fake-router.ts';
import { rawCall } from '../api/raw-call.ts';
import { named } from '../config/store/store-bench.ts';
import { Console, ConsoleBench } from './shell/console.ts';

let bench: ConsoleBench;
beforeEach(async () => {
  bench = await new ConsoleBench().start(named('branch-12'));
});
afterEach(() => bench.end());

async function culvert(...words: string[]) {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const stderr = new PassThrough({ encoding: 'utf8' });
  const where = ['--state-dir', bench.store.directory];
  const code = await runCommandLine([...words, ...where], stdout, stderr, new PassThrough());
  return { code, stdout: stdout.read() ?? '', stderr: stderr.read() ?? '' };
}

describe('culvert show leds', () => {
  it('tells each thing of the board in a screen', async () => {
    const { code, stdout } = await culvert('show', 'leds');
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        'simulated: any Linux machine',
        '',
        'LED    DEVICE     BY       SHOWS',
        'power  red:power  culvert  lit',
        'vpn    green:vpn  culvert  flashes 4 times, then pauses',
        'lte    *:lte      -        not there: the kernel has none',
        '',
        'They say',
        'power:  the router runs',
        'vpn:    hq fails at IKE authentication',
        'lte:    there is no modem',
        '',
        'button reset at key 408 of gpio-keys: free',
        '  under 1 s: reboot',
        '',
        'watchdog /dev/watchdog (Software Watchdog, 30 s): fed',
        '',
      ].join('\n'),
    );
  });

  it('tells programs the same', async () => {
    expect(JSON.parse((await culvert('show', 'leds', '--json')).stdout)).toEqual(BOARD);
    expect(await new ControlClient(bench.store.directory).board()).toEqual(BOARD);
  });
});

describe('culvert identify', () => {
  it('lets the LEDs blink for half a minute, or as long as is said', async () => {
    expect(await culvert('identify')).toMatchObject({ code: 0, stdout: 'all LEDs blink for 30 s\n' });
    expect(await culvert('identify', '5', '--json')).toMatchObject({ code: 0, stdout: '{"ok":true,"seconds":5}\n' });
    expect(await culvert('identify', '0')).toMatchObject({ stdout: 'the LEDs tell of the router again\n' });
    expect(bench.router.askedIdentify).toEqual([30, 5, 0]);
  });

  it.each(['-1', '3601', 'long', '1.5'])('takes %j for no number of seconds', async (word) => {
    expect(await culvert('identify', word)).toMatchObject({ code: 2 });
    expect(bench.router.askedIdentify).toEqual([]);
  });

  it('says why they do not', async () => {
    bench.router.identifyResult = { ok: false, reason: 'this board has none', remedy: 'look at it' };
    expect(await culvert('identify')).toMatchObject({
      code: 1,
      stderr: 'culvert: the LEDs do not blink: this board has none; look at it\n',
    });
  });

  it('is refused by the API out of its bounds', async () => {
    const call = (query: string) => rawCall(bench.store.directory, 'POST', `/v1/board/identify${query}`);
    expect((await call('?seconds=3601')).status).toBe(400);
    expect((await call('')).status).toBe(400);
    expect((await call('?seconds=3600')).status).toBe(200);
  });

  it('is there at the console', async () => {
    expect(await new Console(bench).said('identify 7\r')).toContain('all LEDs blink for 7 s');
    expect(bench.router.askedIdentify).toEqual([7]);
  });
});
