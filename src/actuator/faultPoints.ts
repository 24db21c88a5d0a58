/**
 * Where the tests stop taut dead, as a crash would: `TAUT_FAULT=point` or `point:n` for its nth time. Without the
 * variable, which is looked at once, a fault point is a comparison.
 */
const [POINT, TIMES] = (process.env['TAUT_FAULT'] ?? '').split(':');
let passed = 0;

export type FaultPoint =
  | 'examined'
  | 'recorded'
  | 'written'
  | 'verified'
  | 'restore-read'
  | 'restore-written'
  | 'restore-verified'
  | 'restore-removed';

/** `TAUT_FAULT=uncaught` or `rejection`: an error that nobody catches, soon after the start. */
export function injectUncaught(): void {
  const error = () => new Error(`injected by TAUT_FAULT=${POINT}`);
  if (POINT === 'uncaught')
    setTimeout(() => {
      throw error();
    }, 200);
  if (POINT === 'rejection') setTimeout(() => void Promise.reject(error()), 200);
}

export function faultPoint(point: FaultPoint): void {
  if (point === POINT && ++passed === Number(TIMES ?? 1)) process.kill(process.pid, 'SIGKILL');
}
