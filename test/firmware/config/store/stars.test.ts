import { describe, expect, it } from 'vitest';
import { fillStars, withStars } from '../../../../firmware/config/store/stars.ts';

const server = (address: string, secret: string) => ({ address, secret });

function document(...servers: readonly unknown[]) {
  return { l2tp: { servers: { office: { radius: { servers } } } } };
}

const KNOWN = document(server('10.0.0.1', 'first'), server('10.0.0.2', 'second'), server('10.0.0.3', 'third'));
const STARS = '********';

describe('stars in a list', () => {
  it('mean the secret of the item of that name, wherever it stands', () => {
    const shorter = document(server('10.0.0.2', STARS), server('10.0.0.3', STARS));
    expect(fillStars(shorter, KNOWN)).toEqual(document(server('10.0.0.2', 'second'), server('10.0.0.3', 'third')));
    const turned = document(server('10.0.0.3', STARS), server('10.0.0.4', 'new'), server('10.0.0.1', STARS));
    expect(fillStars(turned, KNOWN)).toEqual(
      document(server('10.0.0.3', 'third'), server('10.0.0.4', 'new'), server('10.0.0.1', 'first')),
    );
  });

  it('mean what stood at the place of one that has another name now, and nothing where that is not certain', () => {
    const renamed = document(server('10.0.0.1', STARS), server('10.9.0.2', STARS), server('10.0.0.3', STARS));
    expect(fillStars(renamed, KNOWN)).toEqual(
      document(server('10.0.0.1', 'first'), server('10.9.0.2', 'second'), server('10.0.0.3', 'third')),
    );
    const both = document(server('10.9.0.2', STARS), server('10.0.0.3', STARS));
    expect(fillStars(both, KNOWN)).toEqual(document(server('10.9.0.2', STARS), server('10.0.0.3', 'third')));
  });

  it('are told apart where two items have one name', () => {
    const twins = document(server('10.0.0.1', 'first'), server('10.0.0.1', 'other port'));
    expect(fillStars(withStars(twins), twins)).toEqual(twins);
  });
});
