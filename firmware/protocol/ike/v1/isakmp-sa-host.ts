/** What an ISAKMP SA and what is around it owe each other. */
import type { Failure, Instant } from '../../machine.ts';
import type { ChildTable } from './child-table.ts';
import type { IkeV1Limits } from './endpoint-types.ts';
import type { IsakmpSa } from './isakmp-sa.ts';
import type { LoginAttempts } from './login-attempts.ts';
import type { Phase1Context } from './phase1.ts';

/** What an ISAKMP SA needs of the endpoint around it. */
export interface IsakmpSaHost extends Phase1Context {
  readonly children: ChildTable;
  readonly limits: IkeV1Limits;
  /** Wrong passwords of callers. */
  readonly attempts: LoginAttempts;
  /** An ikeId that was never used. */
  freshIkeId(): number;
  /** SAs that have ended and are to be taken down. */
  readonly ending: Set<IsakmpSa>;
  /** The peer deleted the ISAKMP SA with these cookies, over `sa`. */
  deletedByPeer(now: Instant, sa: IsakmpSa, key: string): void;
  /** The peer of `sa` is somewhere else now. */
  moved(sa: IsakmpSa): void;
  /** The peer does not answer over `sa`. */
  silent(sa: IsakmpSa, failure: Failure): void;
  /** A login and an inner address were to be had over `sa`: it is of use now. */
  configured(now: Instant, sa: IsakmpSa): void;
  /** The peer says over `sa` that it remembers no other. */
  initialContact(now: Instant, sa: IsakmpSa): void;
}
