/** A control API over a fake router that captures on a simulated machine. */

import { type ControlApi, startControlApi } from '../../../firmware/api/server.ts';
import { controlSocketPath } from '../../../firmware/api/socket-path.ts';
import { createLogger } from '../../../firmware/log/logger.ts';
import { CaptureDesk } from '../../../firmware/router/capture-desk.ts';
import { LinuxClock } from '../../../hal/linux/clock.ts';
import { SimulatedPacketCaptureFactory } from '../../../hal/simulated/packet-capture.ts';
import { FakeConfiguration } from './fake-configuration.ts';
import { FakeRouter, makeStateDir } from './fake-router.ts';

export class CaptureBench {
  readonly stateDir = makeStateDir();
  readonly captures = new SimulatedPacketCaptureFactory();
  readonly logged: string[] = [];
  readonly desk = new CaptureDesk({
    captures: this.captures,
    clock: new LinuxClock(),
    version: '1',
    log: (line) => this.logged.push(line),
  });
  readonly router = new FakeRouter();
  #api: ControlApi | undefined;

  async start(): Promise<void> {
    this.captures.addDevice('eth0', 'ethernet');
    this.captures.addDevice('l2tp-hq', 'ip');
    this.router.onCapture = ({ name, limits }) => {
      const device = name === 'hq' ? 'l2tp-hq' : name;
      return this.desk.prepare(name, { places: [{ device, description: name }] }, limits);
    };
    this.router.onStopCapture = (id) => this.desk.stop(id);
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
