import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Configuration } from '../../../../firmware/config/schema.ts';
import type { PingEvent } from '../../../../firmware/diagnosis/reach/reach-event.ts';
import { IPSEC_STATUS, STATUS } from '../../api/fake-router.ts';
import { contractDocument } from '../../config/example.ts';
import { named } from '../../config/store/store-bench.ts';
import { Console, ConsoleBench } from './console.ts';

let bench: ConsoleBench;
let inForce: Configuration | undefined;

beforeEach(async () => {
  bench = new ConsoleBench();
  bench.store.onEnforce = async (configuration) => {
    inForce = configuration;
    return { changes: [], failures: [] };
  };
  await bench.start(named('branch-12'));
});
afterEach(() => bench.end());

describe('the console', () => {
  it('knows the router by its name, and carries out what is typed', async () => {
    const console = new Console(bench);
    expect(await console.type('show l2tp\r')).toMatch(/^branch-12> show l2tp\nNAME.*\nhq +client/);
    expect(await console.said('disconnect hq\r')).toContain('hq is down');
    expect(await console.type('version\r')).toMatch(/\nculvert \d+\.\d+/);
    expect(await console.type('exit\r')).toContain('exit');
    expect(await console.ended).toBe('exit');
  });

  it('takes abbreviations that are unambiguous, and says what the others can mean', async () => {
    const console = new Console(bench);
    expect(await console.said('sh l2\r')).toContain('hq ');
    expect(await console.said('con\r')).toContain('"con" can mean connect, confirm, configure: type more of it');
    expect(await console.said('shwo log\r')).toContain('there is no command "shwo" here: did you mean "show"?');
    expect(await console.said('show "l2"\r')).toContain('there is no "l2" to show');
  });

  it('completes words, names and options, and shows them where there are several', async () => {
    const console = new Console(bench);
    expect(await console.type('disc\t')).toBe('branch-12> disconnect');
    expect(await console.type('h\t')).toBe('branch-12> disconnect hq');
    expect(await console.type('\u0015show st\t--j\t')).toMatch(/branch-12> show status --json$/);
    expect(await console.type('\u0015show log | m\t')).toMatch(/show log \| match$/);
    expect(await console.type('\u0015show l\t')).toMatch(/\nl2tp +leds +log +limits\nbranch-12> show l$/);
  });

  it('explains with a question mark what can follow, in 80 columns', async () => {
    const console = new Console(bench);
    const said = await console.type('rollback ?');
    expect(said).toMatch(/ {2}1 +\d{4}-\d\d-\d\d .*\n {2}<revision> +A number of "show history"\./);
    expect(said).toMatch(/\nbranch-12> rollback$/);
    expect(await console.type('\u0015?')).toMatch(/ {2}diagnose +say which step of a connection failed/);
    expect(await console.type('\u0015show statusx ?')).toContain('<Enter>');
    expect(await console.said('\u0015shwo ?')).toContain('there is no command "shwo" here');
  });

  it('takes the commands that remedies name as they stand there, with the name of the program', async () => {
    const console = new Console(bench);
    expect(await console.type('culvert show l2tp\r')).toMatch(/\nhq +client/);
    expect(await console.type('culvert disc\th\t')).toMatch(/> culvert disconnect hq$/);
    expect(await console.said('\u0015"culvert" version\r')).toContain('there is no command "culvert" here');
  });

  it('tells of a name what all goes by it', async () => {
    bench.router.statusNow = async () => ({ ...STATUS, ipsec: [IPSEC_STATUS] });
    const console = new Console(bench);
    const said = await console.said('connect ?');
    expect(said).toMatch(/ {2}hq +L2TP client, up; IPsec connection, IKEv1, up/);
    expect(said.match(/ hq /g)).toHaveLength(1);
  });

  it('filters what a command says', async () => {
    bench.router.lines = ['one', 'two', 'three'].map((msg) => JSON.stringify({ level: 'warn', msg }));
    const console = new Console(bench);
    expect(await console.type('show log | match T\r')).toMatch(/two\n.*three\n/);
    expect(await console.said('show log | match t | except hr | count\r')).toContain('1 lines');
    expect(await console.type('show log | last 1\r')).not.toContain('two');
    expect(await console.said('show log | frobnicate\r')).toContain('"| frobnicate" is no filter');
  });

  it('shows long output in pages, and leaves them', async () => {
    bench.router.lines = Array.from({ length: 100 }, (_, at) => JSON.stringify({ level: 'info', msg: `line ${at}` }));
    const console = new Console(bench, { rows: 24 });
    expect(await console.type('show log\r')).toMatch(/line 22\n-- more/);
    expect(await console.type(' ')).toMatch(/line 45\n-- more/);
    expect(await console.type('q')).not.toContain('line 47');
    expect(await console.said('exit\r')).toContain('> exit');
  });

  it('breaks a command off with ^C, and goes on', async () => {
    const called = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    bench.router.onConnect = async (_name, signal) => {
      signal.addEventListener('abort', () => gone.resolve());
      called.resolve();
      await gone.promise;
      return { ok: true };
    };
    const console = new Console(bench);
    await console.ready();
    console.keyboard.feed(Buffer.from('connect hq\r'));
    await called.promise;
    console.keyboard.feed(Buffer.from('typed ahead\u0003'));
    await gone.promise;
    expect(await console.type('show l2tp | count\r')).toContain('lines');
    expect(console.terminal.text).toContain('it was broken off here; what the router has begun goes on');
    expect(console.terminal.text).not.toContain('typed ahead');
  });

  it('ends a command with a ^C that was struck before it had begun', async () => {
    bench.router.onConnect = () => new Promise(() => undefined);
    const console = new Console(bench);
    await console.ready();
    console.keyboard.feed(Buffer.from('connect hq\r\u0003'));
    await console.ready();
    expect(await console.type('show l2tp | count\r')).toContain('lines');
    expect(console.terminal.text).toContain('it was broken off here');
  });

  it('ends a ping with ^C in good order, and shows what it came to', async () => {
    let tell: (event: PingEvent) => void = () => undefined;
    let finish: () => void = () => undefined;
    const began = { kind: 'began', host: 'a', address: '10.0.0.1', family: 4, via: 'hq', size: 56 } as const;
    bench.router.onPing = () => ({
      ok: true,
      id: 7,
      began,
      begin: (sink) => {
        tell = sink.tell;
        finish = sink.end;
        return { stop: finish, abandon: () => undefined };
      },
    });
    bench.router.onStopReach = (id) => {
      tell({ kind: 'end', sent: 4, received: 3, duplicates: 0, errors: 0 });
      finish();
      return id === 7;
    };
    const console = new Console(bench);
    expect(await console.type('ping 10.0.0.1 --via=h\t')).toMatch(/--via=hq$/);
    console.keyboard.feed(Buffer.from('\r'));
    await vi.waitFor(() => expect(console.terminal.text).toContain('ping of a (10.0.0.1) via hq'));
    console.keyboard.feed(Buffer.from('\u0003'));
    await console.ready();
    expect(console.terminal.text).toMatch(/\^C\n4 sent, 3 answered, 25 % lost\n/);
    expect(console.terminal.text).not.toContain('broken off');
    expect(bench.router.askedPings).toMatchObject([{ host: '10.0.0.1', via: 'hq' }]);
  });

  it('filters what goes on without end line by line, and completes what can be followed', async () => {
    bench.router.lines = ['one', 'two', 'three'].map((msg) => JSON.stringify({ level: 'warn', msg }));
    const console = new Console(bench);
    expect(await console.type('mon\tt\ti\t')).toMatch(/monitor traffic interface\.wan$/);
    await console.type('\u0015');
    console.keyboard.feed(Buffer.from('monitor log | match t | except hr\r'));
    await vi.waitFor(() => expect(console.terminal.text).toMatch(/^warn +two$/m));
    console.keyboard.feed(Buffer.from('\u0003'));
    await console.ready();
    expect(console.terminal.text).not.toMatch(/^warn +(one|three)$/m);
    expect(console.terminal.text).not.toContain('broken off');
  });

  it('logs out whoever does nothing, and ends when the terminal is gone, at every prompt', async () => {
    expect(await new Console(bench, { idleMs: 20 }).ended).toBe('idle');
    for (const typed of ['', 'show l', 'configure\r', 'configure\rset l2tp clients hq password\r', 'factory-reset\r']) {
      const console = new Console(bench);
      await console.ready();
      console.keyboard.feed(Buffer.from(typed));
      await console.ready();
      console.keyboard.end();
      expect([typed, await console.ended]).toEqual([typed, 'gone']);
    }
    expect(bench.store.inForce).toBe('branch-12');
  });
});

describe('configuration mode', () => {
  it('changes a draft, shows the difference, and puts it in force', async () => {
    const console = new Console(bench);
    expect(await console.type('configure\r')).toMatch(/\nbranch-12#$/);
    await console.type('set sys host branch-13\r');
    await console.type('set l2tp clients hq routes 10.1.0.0/16 10.2.0.0/16\r');
    expect(await console.type('compare\r')).toMatch(/hostname.*branch-12.*branch-13/);
    expect(bench.store.inForce).toBe('branch-12');
    const committed = await console.type('commit comment "two networks"\r');
    expect(committed).toMatch(/10\.1\.0\.0\/16/);
    expect(committed).toMatch(/\nbranch-13#$/);
    expect(bench.store.inForce).toBe('branch-13');
    expect(await console.type('exit\r')).not.toContain('the draft stays');
    expect(await console.type('show history\r')).toMatch(/2 .*alice +console +confirmed +two networks/);
  });

  it('commits for a while, and keeps it when that is confirmed', async () => {
    const console = new Console(bench);
    await console.type('configure\rset system hostname branch-13\r');
    expect(await console.said('commit confirm 60 comment try\r')).toContain('is in force for 60 s');
    expect(await console.said('confirm\r')).toContain('revision 2 is confirmed');
    expect(await console.said('commit\r')).toContain('there is no draft, so that there is nothing to put in force');
    expect(await console.said('commit confirm\r')).toContain('"confirm" is not followed by anything');
    expect(await console.said('commit soon\r')).toContain('"soon" does not belong there');
  });

  it('asks for secrets, shows none, and keeps what was not given anew', async () => {
    const console = new Console(bench);
    await console.type('configure\r');
    expect(await console.type('set l2tp clients hq password\r')).toMatch(/Password:$/);
    await console.type('first secret\r');
    expect(await console.said('another\r')).toContain('the two are not the same, and nothing was changed');
    await console.type('set l2tp clients hq password\r');
    await console.type('with spaces\r');
    await console.type('with spaces\r');
    await console.type('set l2tp clients hq secret "typed in the line"\r');
    expect(await console.type('show\r')).not.toMatch(/password|secret/);
    await console.type('commit\r');
    const { text } = console.terminal;
    expect(text).not.toContain('with spaces');
    expect(inForce?.l2tp.clients['hq']).toMatchObject({ password: 'with spaces', secret: 'typed in the line' });
    expect(await console.type('\u0010\u0010')).not.toContain('typed in the line');
  });

  it('offers Enter where it does something, and nowhere else', async () => {
    const console = new Console(bench);
    await console.type('configure\r');
    for (const [line, does] of [
      ['set ', false],
      ['set l2tp clients ', true],
      ['set l2tp clients hq server ', false],
      ['set l2tp clients hq server 192.0.2.1 ', true],
      ['set l2tp clients hq server not/a/name ', false],
      ['set l2tp clients hq password ', true],
      ['delete l2tp clients hq server ', true],
      ['delete l2tp clients nobody ', false],
      ['edit ', false],
      ['edit l2tp clients ', true],
      ['edit l2tp clients hq server ', false],
    ] as const) {
      const shown = await console.type(`${line}?`);
      expect(shown.includes('<Enter>'), line).toBe(does);
      await console.type('\u0015');
    }
    await console.type('edit l2tp clients hq\r');
    expect(await console.type('edit ?')).not.toContain('<Enter>');
  });

  it('offers the network devices that there are where one is named', async () => {
    const console = new Console(bench);
    await console.type('configure\r');
    const shown = await console.type('set interfaces guest device ?');
    expect(shown).toMatch(/ {2}eth0 +Up, 52:54:00:00:00:01; interface "wan" is on it\./);
    expect(shown).toMatch(/ {2}eth1 +Down, 52:54:00:00:00:02\./);
    expect(shown).toMatch(/ {2}<device> +A network device name/);
    expect(await console.type('eth1\t')).toMatch(/device eth1$/);
    // A bridge that does not exist yet.
    await console.type('\u0015set interfaces guest device br7\r');
    expect(await console.type('show interfaces guest\r')).toContain('set interfaces guest device br7');
  });

  it('goes to a part and comes back, and everything typed there is below it', async () => {
    const console = new Console(bench);
    await console.type('configure\r');
    expect(await console.said('edit l2tp clients hq\r')).toContain('[edit l2tp.clients.hq]');
    await console.type('set mru 1380\r');
    expect(await console.said('show\r')).toContain('set l2tp clients hq mru 1380');
    expect(await console.type('set s\t')).toMatch(/server +sourcePort +secret/);
    expect(await console.said('\u0015up\r')).toContain('[edit l2tp.clients]');
    expect(await console.type('top\r')).not.toContain('[edit');
    expect(await console.type('delete l2tp clients hq mru\rshow l2tp clients hq | match mru\r')).not.toContain('set ');
  });

  it('refuses nonsense in words, and leaves the draft as it was', async () => {
    const console = new Console(bench);
    await console.type('configure\r');
    expect(await console.said('set l2tp clinets x\r')).toContain('did you mean "clients"?');
    expect(await console.said('set l2tp clients hq mru 5\r')).toContain('a whole number from 576 to 9000 octets');
    expect(await console.said('delete ipsec connections x\r')).toContain('there is nothing at ipsec.connections.x');
    expect(await console.said('set system hostname "a\r')).toContain('a quote " is never closed');
    expect(await console.said('discard\r')).toContain('there is no draft, so that there is nothing to throw away');
    await console.type('set l2tp clients other\r');
    expect(await console.said('commit\r')).toMatch(/the draft is refused .* 3 problems/s);
    expect(await console.said('discard\r')).toContain('the draft is gone; what is in force stays');
  });

  it('keeps the draft in the router, whoever hangs up, and for whoever began it', async () => {
    const first = new Console(bench);
    await first.type('configure\rset system hostname branch-13\r');
    first.keyboard.end();
    await first.ended;
    const other = new Console(bench, { who: 'bob' });
    expect(await other.type('configure\r')).toMatch(
      /alice works on the draft over console, since .* "configure takeover"/s,
    );
    const again = new Console(bench);
    expect(await again.said('configure\r')).toContain('a draft is there already');
    expect(await again.said('exit\r')).toContain('the draft stays');
    expect(await other.said('configure takeover\rshow system\r')).toContain('set system hostname branch-13');
    expect(await again.said('configure\r')).toContain('bob works on the draft');
  });

  it('takes a whole configuration that is pasted, and shows nothing of it', async () => {
    const text = JSON.stringify(contractDocument(), undefined, 2);
    const console = new Console(bench);
    await console.type('configure\r');
    const said = await console.type(`load json\r${text.replaceAll('\n', '\r')}\r.\r`);
    expect(said).toMatch(/\d+ lines are the draft now/);
    await console.type('compare\r');
    expect(console.terminal.text).not.toMatch(/alice-pw|labpsk/);
    expect(await console.type('commit\r')).toContain('ipsec');
    expect(inForce?.ipsec.connections['plant']).toMatchObject({ psk: 'labpsk' });
  });

  it('leaves the draft alone when a paste is broken off or wrong', async () => {
    const console = new Console(bench);
    await console.type('configure\rset system hostname branch-13\r');
    expect(await console.type('load json\r{ "system":\r\u0003')).toContain(
      'it was broken off, and nothing was changed',
    );
    expect(await console.type('load json\r{ "system": { "hostnaem": "x" } }\r.\r')).toMatch(
      /the draft is refused.*hostname/s,
    );
    expect(await console.type('load yaml\rsystem:\r  hostname: branch-14\r.\rshow system\r')).toContain('branch-14');
  });

  it('takes 2,000 lines at once, and asks the router for them together', async () => {
    const console = new Console(bench);
    await console.type('configure\r');
    await console.type('edit l2tp servers office\r');
    const lines = Array.from({ length: 2000 }, (_, at) => `set users user${at} password "secret ${at}"\r`);
    await console.type(`${lines.join('')}exit\rexit\r`);
    await console.type('version\r');
    const kept = await bench.store.store.candidate();
    expect(kept.ok && kept.candidate?.text.match(/"user\d+"/g)).toHaveLength(2000);
    expect(console.terminal.text).not.toMatch(/refused|nothing|there is no/);
  });
});
