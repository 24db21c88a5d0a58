/**
 * Points where tests kill taut, as a crash would: `TAUT_FAULT=point`, or `point:n` for the nth time it is reached, or stop it:
 * `point:n:SIGSTOP`. The variable is read once; without it a fault point costs one comparison.
 */
const [POINT, TIMES, SIGNAL = 'SIGKILL'] = (process.env['TAUT_FAULT'] ?? '').split(':');
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

/** `TAUT_FAULT=uncaught` or `rejection`: throws an uncaught error soon after the start. */
export function injectUncaught(): void {
  const error = () => new Error(`injected by TAUT_FAULT=${POINT}`);
  if (POINT === 'uncaught')
    setTimeout(() => {
      throw error();
    }, 200);
  if (POINT === 'rejection') setTimeout(() => void Promise.reject(error()), 200);
}

export function faultPoint(point: FaultPoint): void {
  if (point === POINT && ++passed === Number(TIMES ?? 1)) process.kill(process.pid, SIGNAL);
}
