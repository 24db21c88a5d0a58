/** The kernels that the tests boot, and what taut must make of each: probed in the guest, compared here. */

export interface Series {
  /** The newest kernel whose version begins like this is taken: mirrors drop a version once there is a newer one. */
  readonly version: string;
  /** Where Debian has it. */
  readonly archive: 'Debian' | 'Debian-Security';
  readonly suite: string;
  readonly expect: Expectation;
}

export interface Expectation {
  /** `full`: every program loads and attaches. `none`: taut finds and tunes, and says that it can't measure. */
  readonly tracer: 'full' | 'none';
  /** Whether the cgroup programs load, which see questions to resolvers and connections. */
  readonly names: boolean;
}

const security = (version: string, release: string, expect: Expectation): Series => ({
  version,
  archive: 'Debian-Security',
  suite: `${release}-security`,
  expect,
});

const FULL: Expectation = { tracer: 'full', names: true };

export const SERIES: readonly Series[] = [
  // No task storage for tracing programs (it came in 5.11), so wakeups can't be followed.
  security('5.10', 'bullseye', { tracer: 'none', names: false }),
  // Packets' programs may not ask who sends them.
  security('6.1', 'bookworm', { tracer: 'full', names: false }),
  security('6.12', 'trixie', FULL),
  // The last before hrtimer_expire_entry's second argument became the time itself (7.1), and one after.
  { version: '7.0', archive: 'Debian', suite: 'trixie-backports', expect: FULL },
  { version: '7', archive: 'Debian', suite: 'trixie-backports', expect: FULL },
];
