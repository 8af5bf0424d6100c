/** A control API over a fake router that pings on a simulated machine. */
import { type ControlApi, startControlApi } from '../../../firmware/api/server.ts';
import { controlSocketPath } from '../../../firmware/api/socket-path.ts';
import { createLogger } from '../../../firmware/log/logger.ts';
import { ReachDesk } from '../../../firmware/router/reach-desk.ts';
import { LinuxClock } from '../../../hal/linux/clock.ts';
import { SimulatedIcmpSocketFactory } from '../../../hal/simulated/icmp-socket.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { icmpError, icmpReply } from '../protocol/icmp/icmp-answers.ts';
import { FakeConfiguration } from './fake-configuration.ts';
import { FakeRouter, makeStateDir } from './fake-router.ts';

/** Two hops away. */
export const HOST = '10.99.0.10';
export const GATEWAY = '10.20.0.1';

export class ReachBench {
  readonly stateDir = makeStateDir();
  readonly icmp = new SimulatedIcmpSocketFactory();
  readonly logged: string[] = [];
  readonly desk = new ReachDesk({
    sockets: this.icmp,
    clock: new LinuxClock(),
    random: new SeededRandom(1),
    log: (line) => this.logged.push(line),
  });
  readonly router = new FakeRouter();
  #api: ControlApi | undefined;

  async start(): Promise<void> {
    this.icmp.world = ({ message, remoteAddress, hopLimit }) => {
      if (remoteAddress !== HOST) return undefined;
      if (hopLimit === 1) return { message: icmpError(4, message, 11, 0), from: GATEWAY };
      return { message: icmpReply(4, message), from: HOST, hopLimit: 63 };
    };
    const target = (host: string) => ({ address: host, family: 4 as const, mark: 0 });
    this.router.onPing = (request) => this.desk.ping(request, target(request.host));
    this.router.onTraceroute = (request) => this.desk.traceroute(request, target(request.host));
    this.router.onStopReach = (id) => this.desk.stop(id);
    this.#api = await startControlApi({
      socketPath: controlSocketPath(this.stateDir.path),
      control: this.router,
      config: new FakeConfiguration(),
      logger: createLogger({ secrets: () => [], destination: { write: () => undefined } }),
    });
  }

  /** The router ends. */
  async end(): Promise<void> {
    await this.#api?.close();
    this.#api = undefined;
  }

  async remove(): Promise<void> {
    await this.end();
    this.desk.stopAll();
    this.stateDir.remove();
  }
}
