/** The timed waits that a guest makes: few, as time is slow there. `test/kernel/waits.test.ts` has every kind. */

export interface Waits {
  readonly kind: string;
  readonly us: number;
  readonly times: number;
  /** Where each counts while the slack is 50 us, and while it is 1 ns. */
  readonly asFound: string;
  readonly tuned: string;
}

export const THREADS = 2;

const reachable = { asFound: 'reachable', tuned: 'reachable tuned' };
const beyond = { asFound: 'beyond', tuned: 'beyond' };
const none = { asFound: 'none', tuned: 'none' };

export const WAITS: readonly Waits[] = [
  // Long: one that has passed before it is waited for, as the host was busy elsewhere, is no wait.
  { kind: 'nanosleep', us: 20_000, times: 20, ...reachable },
  { kind: 'futex', us: 20_000, times: 20, ...reachable },
  { kind: 'poll', us: 20_000, times: 20, ...reachable },
  { kind: 'epoll', us: 30_000, times: 10, ...reachable },
  { kind: 'epoll', us: 200_000, times: 3, ...beyond },
  { kind: 'timerfd', us: 50_000, times: 5, ...none },
  { kind: 'fifo', us: 20_000, times: 20, ...none },
];
