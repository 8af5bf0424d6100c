import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../../firmware/protocol/machine.ts';
import { type Caller, ChannelBench, NAT, OFFICE } from './channel-bench.ts';

const DEAD: Failure = { step: 'DPD', reason: 'the IKE peer is silent', remedy: 'check the path' };
const NO_PROPOSAL: Failure = {
  step: 'IKE_SA_INIT',
  reason: 'no proposal was chosen',
  remedy: 'choose another profile',
  cause: 'no-proposal',
};

function up(bench: ChannelBench): Caller {
  const caller = bench.caller();
  bench.connect(caller);
  bench.wait(1);
  expect(caller.machine.state).toBe('up');
  return caller;
}

/** Cuts the caller off in the middle of something, and forgets what was before. */
function clearLog(caller: Caller): void {
  caller.log.length = 0;
  caller.failures.length = 0;
}

describe('a protected client', () => {
  it('comes up in order: name, channel, L2TP, PPP', () => {
    const caller = up(new ChannelBench());
    expect(caller.milestones).toEqual([
      'state connecting',
      'resolve',
      `open-channel ${OFFICE.address}`,
      'SCCRQ',
      'SCCCN',
      'ICRQ',
      'ICCN',
      'network-up',
      'state up',
    ]);
    expect(caller.shape?.path.bearer).toBe(caller.bearer);
  });

  it('says nothing at all while the channel is not up', () => {
    const bench = new ChannelBench();
    const caller = bench.caller();
    caller.willing = false;
    bench.connect(caller);
    bench.wait(120);
    expect(caller.log).toEqual(['state connecting', 'resolve', `open-channel ${OFFICE.address}`]);
    expect(caller.machine.tunnel).toBeUndefined();
    expect(caller.machine.nextDeadline()).toBeUndefined();
  });

  it('dials nothing over a path that has no bearer', () => {
    const bench = new ChannelBench();
    const caller = bench.caller();
    caller.willing = false;
    bench.connect(caller);
    expect(() => caller.machine.channelUp(bench.now, { remote: OFFICE, local: NAT })).toThrow(TypeError);
    bench.exchange();
    expect(caller.log).not.toContain('SCCRQ');
  });

  it('goes down in reverse: PPP, then L2TP, and the channel when the StopCCN is acknowledged', () => {
    const bench = new ChannelBench();
    const caller = up(bench);
    clearLog(caller);
    bench.input(caller, (machine, now) => machine.disconnect(now));
    expect(caller.log.filter((line) => !line.endsWith('session'))).toEqual([
      'state down',
      'network-down',
      'LCP Terminate-Request',
      'StopCCN',
      'close-channel',
      'ended',
    ]);
    expect(caller.shape).toBeUndefined();
    expect(caller.machine.quiet).toBe(true);
    expect(caller.machine.nextDeadline()).toBeUndefined();
  });

  it('closes the channel one second after the StopCCN when nobody acknowledges it', () => {
    const bench = new ChannelBench();
    const caller = up(bench);
    clearLog(caller);
    caller.cut = true;
    bench.input(caller, (machine, now) => machine.shutdown(now));
    expect(caller.log).toContain('StopCCN');
    bench.wait(0.9);
    expect(caller.log).not.toContain('close-channel');
    expect(caller.machine.quiet).toBe(false);
    bench.wait(0.2);
    expect(caller.log.slice(-2)).toEqual(['close-channel', 'ended']);
    expect(caller.machine.quiet).toBe(true);
    expect(caller.machine.nextDeadline()).toBeUndefined();
  });

  it('acknowledges the StopCCN of the server before it closes the channel', () => {
    const bench = new ChannelBench();
    const caller = up(bench);
    clearLog(caller);
    bench.server.shutdown(bench.now);
    bench.exchange();
    expect(bench.server.quiet).toBe(true);
    expect(caller.log).toEqual(['network-down', 'remove-session', 'state failed', 'close-channel']);
    expect(caller.failures).toMatchObject([{ step: 'StopCCN' }]);
  });
});

describe('a protected client that is to dial again', () => {
  it('does so only after the channel is closed, when told to connect while it hangs up', () => {
    const bench = new ChannelBench();
    const caller = up(bench);
    clearLog(caller);
    caller.cut = true;
    bench.input(caller, (machine, now) => machine.disconnect(now));
    bench.input(caller, (machine, now) => machine.connect(now));
    bench.wait(10);
    const closed = caller.log.indexOf('close-channel');
    expect(closed).toBeGreaterThan(-1);
    expect(caller.log.indexOf('resolve')).toBe(closed + 1);
    expect(caller.failures).toEqual([]);
  });

  it('does so only after the channel is closed, when told to connect while the StopCCN is on its way', () => {
    const bench = new ChannelBench();
    const caller = up(bench);
    clearLog(caller);
    caller.cut = true;
    bench.input(caller, (machine, now) => machine.fail(now, { step: 'interface', reason: 'no TUN', remedy: '' }));
    bench.input(caller, (machine, now) => machine.connect(now));
    expect(caller.log).not.toContain('resolve');
    caller.cut = false;
    bench.wait(1.5);
    expect(caller.log.indexOf('close-channel')).toBe(caller.log.indexOf('resolve') - 1);
    expect(caller.machine.state).toBe('up');
    expect(caller.channels).toBe(2);
  });

  it('does so after the back-off, and after the channel is closed, when the server is silent', () => {
    const bench = new ChannelBench();
    const caller = up(bench);
    clearLog(caller);
    caller.cut = true;
    bench.wait(15);
    expect(caller.failures[0]).toMatchObject({ step: 'hello' });
    expect(caller.log.indexOf('close-channel')).toBeGreaterThan(-1);
    expect(caller.log.indexOf('close-channel')).toBeLessThan(caller.log.indexOf('resolve'));
    caller.cut = false;
    bench.wait(20);
    expect(caller.machine.state).toBe('up');
  });

  it('rests when told to disconnect while the channel is being closed', () => {
    const bench = new ChannelBench();
    const caller = up(bench);
    caller.cut = true;
    bench.input(caller, (machine, now) => machine.fail(now, { step: 'interface', reason: 'no TUN', remedy: '' }));
    clearLog(caller);
    bench.input(caller, (machine, now) => machine.disconnect(now));
    expect(caller.log).toEqual(['state down']);
    bench.wait(300);
    expect(caller.log).toEqual(['state down', 'close-channel', 'ended']);
  });
});

describe('a channel that ends', () => {
  it('while it is being set up, ends the attempt with its own failure, and is asked for again', () => {
    const bench = new ChannelBench();
    const caller = bench.caller();
    caller.willing = false;
    bench.connect(caller);
    bench.channelDown(caller, { ...DEAD, step: 'IKE_AUTH' });
    expect(caller.failures).toMatchObject([{ step: 'IKE_AUTH' }]);
    expect(caller.machine.failure?.step).toBe('IKE_AUTH');
    expect(caller.log.at(-1)).toBe('state failed');
    caller.willing = true;
    bench.wait(1);
    expect(caller.machine.state).toBe('up');
    expect(caller.log).not.toContain('close-channel');
  });

  it('while the SCCRQ is unanswered, ends the attempt with its own failure', () => {
    const bench = new ChannelBench();
    const caller = bench.caller();
    caller.cut = true;
    caller.heard = false;
    bench.connect(caller);
    expect(caller.log).toContain('SCCRQ');
    bench.channelDown(caller, DEAD);
    expect(caller.failures).toEqual([DEAD]);
    expect(caller.log).not.toContain('report-mute');
    expect(caller.machine.tunnel).toBeUndefined();
  });

  it('while it is up, takes everything down at once, with its own failure and without a word', () => {
    const bench = new ChannelBench();
    const caller = up(bench);
    clearLog(caller);
    bench.channelDown(caller, DEAD);
    expect(caller.log).toEqual(['network-down', 'remove-session', 'state failed']);
    expect(caller.failures).toEqual([DEAD]);
    bench.wait(1);
    expect(caller.machine.state).toBe('up');
    expect(caller.channels).toBe(2);
  });

  it('while it hangs up, makes it be done', () => {
    const bench = new ChannelBench();
    const caller = up(bench);
    caller.cut = true;
    bench.input(caller, (machine, now) => machine.disconnect(now));
    clearLog(caller);
    bench.channelDown(caller, DEAD);
    expect(caller.log).toEqual(['remove-session', 'ended']);
    expect(caller.machine.quiet).toBe(true);
    expect(caller.machine.nextDeadline()).toBeUndefined();
  });

  it('while it hangs up to dial again, makes it dial', () => {
    const bench = new ChannelBench();
    const caller = up(bench);
    caller.cut = true;
    bench.input(caller, (machine, now) => machine.disconnect(now));
    bench.input(caller, (machine, now) => machine.connect(now));
    clearLog(caller);
    caller.cut = false;
    bench.channelDown(caller, DEAD);
    bench.wait(1);
    expect(caller.failures).toEqual([]);
    expect(caller.machine.state).toBe('up');
  });

  it('while the StopCCN is on its way, changes nothing but that nothing is closed any more', () => {
    const bench = new ChannelBench();
    const caller = up(bench);
    caller.cut = true;
    bench.input(caller, (machine, now) => machine.fail(now, { step: 'interface', reason: 'no TUN', remedy: '' }));
    clearLog(caller);
    bench.channelDown(caller, DEAD);
    expect(caller.log).toEqual([]);
    expect(caller.machine.failure?.step).toBe('interface');
    caller.cut = false;
    bench.wait(1);
    expect(caller.log).not.toContain('close-channel');
    expect(caller.machine.state).toBe('up');
  });

  it('when nobody wants the connection, is of no interest', () => {
    const bench = new ChannelBench();
    const caller = bench.caller();
    bench.channelDown(caller, DEAD);
    expect(caller.log).toEqual([]);
  });

  it('during the back-off, is of no interest', () => {
    const bench = new ChannelBench();
    const caller = up(bench);
    bench.channelDown(caller, DEAD);
    clearLog(caller);
    bench.channelDown(caller, NO_PROPOSAL);
    expect(caller.log).toEqual([]);
    expect(caller.machine.failure).toEqual(DEAD);
  });

  it('is asked for ever more slowly when the peer refuses, and soon when it is silent', () => {
    const attempts = (failure: Failure): number => {
      const bench = new ChannelBench();
      const caller = bench.caller();
      caller.willing = false;
      bench.connect(caller);
      for (let second = 0; second < 600; second += 1) {
        if (caller.log.at(-1)?.startsWith('open-channel')) bench.channelDown(caller, failure);
        bench.wait(1);
      }
      return caller.failures.length;
    };
    const silent = attempts({ ...DEAD, cause: 'silence' });
    expect(silent).toBeGreaterThan(60);
    expect(attempts(NO_PROPOSAL)).toBeLessThan(30);
    expect(attempts({ ...NO_PROPOSAL, cause: 'refused' })).toBeLessThan(30);
  });
});

describe('a protected client that nobody wants any more while its channel is being set up', () => {
  it.each(['disconnect', 'shutdown'] as const)('closes it at once on %s', (verb) => {
    const bench = new ChannelBench();
    const caller = bench.caller();
    caller.willing = false;
    bench.connect(caller);
    clearLog(caller);
    bench.input(caller, (machine, now) => machine[verb](now));
    expect(caller.log).toEqual(['state down', 'close-channel', 'ended']);
    expect(caller.machine.quiet).toBe(true);
    bench.channelUp(caller);
    expect(caller.log).toHaveLength(3);
  });

  it('closes it and tries again when something outside the protocols fails', () => {
    const bench = new ChannelBench();
    const caller = bench.caller();
    caller.willing = false;
    bench.connect(caller);
    clearLog(caller);
    bench.input(caller, (machine, now) => machine.fail(now, DEAD));
    expect(caller.log).toEqual(['close-channel', 'state failed']);
    bench.wait(1);
    expect(caller.log).toContain('resolve');
  });
});

describe('a channel that stands and is mute', () => {
  function mute(options: { readonly heard: boolean; readonly udpEncapsulation: boolean }): Caller {
    const bench = new ChannelBench();
    const caller = bench.caller();
    Object.assign(caller, options, { cut: true });
    bench.connect(caller);
    bench.wait(24);
    return caller;
  }

  it('makes the failure say that ESP is dropped on the way, and is reported before it is closed', () => {
    const caller = mute({ heard: false, udpEncapsulation: false });
    const [failure] = caller.failures;
    expect(failure).toMatchObject({ step: 'ESP', cause: 'silence' });
    expect(failure?.reason).toBe(
      'the key exchange succeeded, but nothing came back through the protected channel, ' +
        'so something between here and 10.20.0.2 drops ESP (IP protocol 50)',
    );
    expect(failure?.remedy).toContain('UDP');
    expect(caller.milestones.slice(3, 7)).toEqual(['SCCRQ', 'report-mute', 'state failed', 'close-channel']);
  });

  it('makes the failure speak of port 4500 and of the L2TP service when ESP goes in UDP', () => {
    const [failure] = mute({ heard: false, udpEncapsulation: true }).failures;
    expect(failure?.step).toBe('ESP');
    expect(failure?.reason).toContain('drops UDP port 4500, or the server has no L2TP service behind IPsec');
  });

  it('is no matter of ESP when protected packets came back: then L2TP says what it says', () => {
    const caller = mute({ heard: true, udpEncapsulation: false });
    expect(caller.failures[0]).toMatchObject({ step: 'SCCRQ' });
    expect(caller.log).not.toContain('report-mute');
    expect(caller.log).toContain('close-channel');
  });

  it('is not what is to blame when the user hangs up meanwhile', () => {
    const bench = new ChannelBench();
    const caller = bench.caller();
    Object.assign(caller, { heard: false, cut: true });
    bench.connect(caller);
    bench.wait(3);
    clearLog(caller);
    bench.input(caller, (machine, now) => machine.disconnect(now));
    expect(caller.log).toEqual(['state down', 'StopCCN', 'close-channel', 'ended']);
  });
});

describe('failures inside the channel', () => {
  it('keep the name of their layer', () => {
    const bench = new ChannelBench();
    const caller = bench.caller({ password: 'wrong' });
    bench.connect(caller);
    bench.wait(0.4);
    expect(caller.failures[0]).toMatchObject({ step: 'authentication' });
    expect(caller.log).toContain('close-channel');
  });
});
