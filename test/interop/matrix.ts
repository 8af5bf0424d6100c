/** The interop matrix: which peer, in which role and with which algorithms, was met, and what came of it. */
import { it, type TestContext } from 'vitest';

/** One case, for people. */
export interface MatrixRow {
  readonly peer: string;
  /** Ours. */
  readonly role: 'client' | 'server' | 'initiator' | 'responder';
  /** Of IKE. */
  readonly version: 1 | 2;
  readonly mode: 'transport' | 'tunnel';
  readonly encapsulation: 'native' | 'udp' | 'nat';
  readonly algorithms: string;
  /** How the two prove who they are, such as `ECDSA`. Default: by pre-shared key. */
  readonly proof?: string;
  /** From the first packet to the first answer through the tunnel. */
  milliseconds?: number;
}

declare module 'vitest' {
  interface TaskMeta {
    interop?: MatrixRow;
  }
}

/** Measures how long `connect` takes, for the row. */
export type Measure = <T>(connect: () => Promise<T>) => Promise<T>;

/** A test that is a case of the matrix. */
export function matrixIt(row: MatrixRow, test: (measure: Measure) => Promise<void>): void {
  const { role, version, mode, encapsulation, algorithms, proof = 'PSK' } = row;
  it(`as ${role}, by IKEv${version}, ${proof}, ${mode} mode, ${encapsulation}, ${algorithms}`, async ({
    task,
  }: TestContext) => {
    const done: MatrixRow = { ...row };
    task.meta.interop = done;
    await test(async (connect) => {
      const start = performance.now();
      const result = await connect();
      done.milliseconds = Math.round(performance.now() - start);
      return result;
    });
  });
}
