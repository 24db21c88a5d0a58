/** The kernels that the tests boot, and what taut must make of each: probed in the guest, compared here. */

/** By Debian's names. */
export type Arch = 'amd64' | 'arm64';

export interface Series {
  /** What it is called in the tests: its version, and what is special about it. */
  readonly name: string;
  /** The newest kernel whose version begins like this is taken: mirrors drop a version once there is a newer one. */
  readonly version: string;
  readonly arch: Arch;
  /** Where Debian has it. */
  readonly archive: 'Debian' | 'Debian-Security';
  readonly suite: string;
  /** Debian's `cloud` kernels boot fastest; `rt` is PREEMPT_RT. */
  readonly flavour: 'cloud' | 'rt';
  /** Added to the kernel's command line. */
  readonly parameters: string;
  /** How much is measured. Agents are found by their command lines, and tuned, on each. */
  readonly mode: 'full' | 'wakeups' | 'schedstat';
  /** Why not more: what doctor says of it. */
  readonly lack?: RegExp;
  /** Whether agents are found by names and connections. */
  readonly hasNames: boolean;
  /** Whether a thread can ask for a scheduler slice (6.12). */
  readonly hasSlices: boolean;
}

const security = (version: string, release: string, more: Partial<Series> = {}): Series => ({
  name: version,
  version,
  arch: 'amd64',
  archive: 'Debian-Security',
  suite: `${release}-security`,
  flavour: 'cloud',
  parameters: '',
  mode: 'full',
  hasNames: true,
  hasSlices: true,
  ...more,
});
const backport = (version: string): Series => security(version, '', { archive: 'Debian', suite: 'trixie-backports' });

const ALL: readonly Series[] = [
  // The slowest comes first: an arm64 processor is emulated at half the speed.
  security('6.1', 'bookworm', { name: '6.1 arm64', arch: 'arm64', hasSlices: false }),
  // No task storage for tracing programs (it came in 5.13), so wakeups can't be followed.
  security('5.10', 'bullseye', {
    mode: 'schedstat',
    lack: /has not got task storage for tracing programs/,
    hasSlices: false,
  }),
  security('6.1', 'bookworm', { hasSlices: false }),
  security('6.12', 'trixie'),
  // The last before hrtimer_expire_entry's second argument became the time itself (7.1), and one after.
  backport('7.0'),
  backport('7'),
  // Timers of threads that are not real-time expire in softirqs there.
  security('6.12', 'trixie', { name: '6.12 PREEMPT_RT', flavour: 'rt', mode: 'wakeups', lack: /PREEMPT_RT/ }),
  // What distributions set under Secure Boot, and what hardened images set.
  security('6.12', 'trixie', { name: '6.12 lockdown=integrity', parameters: 'lockdown=integrity' }),
  security('6.12', 'trixie', {
    name: '6.12 lockdown=confidentiality',
    parameters: 'lockdown=confidentiality',
    mode: 'schedstat',
    lack: /lockdown=confidentiality/,
    hasNames: false,
  }),
];

/** All, or those whose names `TAUT_TEST_KERNELS` has, between commas: a boot takes minutes. */
export const SERIES: readonly Series[] = chosen(process.env['TAUT_TEST_KERNELS']);

function chosen(names: string | undefined): readonly Series[] {
  if (!names) return ALL;
  return names.split(',').map((name) => {
    const series = ALL.find((of) => of.name === name);
    if (!series)
      throw new Error(`TAUT_TEST_KERNELS: no kernel ${name}; there are ${ALL.map((of) => of.name).join(', ')}`);
    return series;
  });
}
