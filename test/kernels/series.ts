/** The kernels that the tests boot, and what taut must make of each: probed in the guest, compared here. */

export interface Series {
  /** The newest kernel whose version begins like this is taken: mirrors drop a version once there is a newer one. */
  readonly version: string;
  /** Where Debian has it. */
  readonly archive: 'Debian' | 'Debian-Security';
  readonly suite: string;
  /** How much is measured. Agents are found, by every path, and tuned on each. */
  readonly mode: 'full' | 'schedstat';
}

const security = (version: string, release: string, mode: Series['mode']): Series => ({
  version,
  archive: 'Debian-Security',
  suite: `${release}-security`,
  mode,
});

export const SERIES: readonly Series[] = [
  // No task storage for tracing programs (it came in 5.13), so wakeups can't be followed.
  security('5.10', 'bullseye', 'schedstat'),
  security('6.1', 'bookworm', 'full'),
  security('6.12', 'trixie', 'full'),
  // The last before hrtimer_expire_entry's second argument became the time itself (7.1), and one after.
  { version: '7.0', archive: 'Debian', suite: 'trixie-backports', mode: 'full' },
  { version: '7', archive: 'Debian', suite: 'trixie-backports', mode: 'full' },
];
