import { describe, expect, it } from 'vitest';
import { formatMatrix } from './print-matrix.ts';

const row = {
  peer: 'strongSwan + xl2tpd',
  role: 'client',
  version: 1,
  mode: 'transport',
  encapsulation: 'nat',
  algorithms: 'aes256-sha256',
} as const;

describe('the table of the interop matrix', () => {
  it('has a line for each case, in columns, and none for other tests', () => {
    const table = formatMatrix({
      testResults: [
        {
          assertionResults: [
            { status: 'passed', meta: { interop: { ...row, milliseconds: 812 } } },
            { status: 'passed', meta: {} },
            { status: 'failed', meta: { interop: { ...row, version: 2, algorithms: '3des-sha1' } } },
          ],
        },
      ],
    });
    expect(table.split('\n')).toEqual([
      'peer                 our role  IKE  proof  mode       ESP  algorithms     result  ms',
      '-------------------  --------  ---  -----  ---------  ---  -------------  ------  ---',
      'strongSwan + xl2tpd  client    v1   PSK    transport  nat  aes256-sha256  passed  812',
      'strongSwan + xl2tpd  client    v2   PSK    transport  nat  3des-sha1      failed',
    ]);
  });

  it('is nothing where there was no case', () => {
    expect(formatMatrix({ testResults: [{ assertionResults: [{ status: 'passed' }] }] })).toBe('');
  });
});
