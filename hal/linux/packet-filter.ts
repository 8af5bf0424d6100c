/** nftables through `nft -f -`, one transaction for each change. */
import { HalError } from '../hal-error.ts';
import { assertTableName } from '../names.ts';
import type { PacketFilter } from '../packet-filter.ts';
import { capabilityAdvice, explainDenied, passesCapabilityOn } from './capabilities.ts';
import { runProgram } from './run-program.ts';

export class LinuxPacketFilter implements PacketFilter {
  #last: Promise<unknown> = Promise.resolve();

  /** @throws HalError when the body is not accepted; then the table is what it was. */
  async replaceTable(name: string, body: string): Promise<void> {
    assertTableName(name);
    await this.#transaction(
      `${removal(name)}table inet ${name} {\n${body}\n}\n`,
      `The packet filter table ${name} cannot be set`,
    );
  }

  async removeTable(name: string): Promise<void> {
    assertTableName(name);
    await this.#transaction(removal(name), `The packet filter table ${name} cannot be removed`);
  }

  show(name: string): Promise<string | undefined> {
    return this.#inTurn(async () => {
      assertTableName(name);
      const result = await runProgram('nft', ['-s', 'list', 'table', 'inet', name], 'nftables');
      if (result.status === 0) return result.stdout;
      if (/No such file or directory/.test(result.stderr)) return undefined;
      throw refused(`The packet filter table ${name} cannot be read`, '', result.stderr);
    });
  }

  #transaction(ruleset: string, failure: string): Promise<void> {
    return this.#inTurn(async () => {
      const result = await runProgram('nft', ['-f', '-'], 'nftables', ruleset);
      if (result.status !== 0) throw refused(failure, ruleset, result.stderr);
    });
  }

  /** One after the other, in the order of the calls. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task, task);
    this.#last = turn;
    return turn;
  }
}

/** Creates the table first, so that there is one to delete. */
function removal(name: string): string {
  return `add table inet ${name}\ndelete table inet ${name}\n`;
}

/** nft names the place of an error by line and columns of the whole input: show that line too. */
function refused(failure: string, ruleset: string, stderr: string): HalError {
  if (/Operation not permitted|Permission denied/.test(stderr)) {
    const advice = passesCapabilityOn('CAP_NET_ADMIN')
      ? explainDenied('CAP_NET_ADMIN')
      : capabilityAdvice(['CAP_NET_ADMIN']);
    return new HalError(`${failure} (EPERM). ${advice}`, 'EPERM');
  }
  const match = /^\S+?:(\d+):[\d-]+: Error: (.*)$/m.exec(stderr);
  if (!match) return new HalError(`${failure}: ${stderr.split('\n')[0] || 'nft gave no reason'}.`, 'EINVAL');
  const line = ruleset.split('\n')[Number(match[1]) - 1]?.trim() ?? '';
  return new HalError(
    `${failure}: nft says ${JSON.stringify(match[2])} at the line ${JSON.stringify(line)}.`,
    'EINVAL',
  );
}
