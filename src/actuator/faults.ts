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

export function faultPoint(point: FaultPoint): void {
  if (point === POINT && ++passed === Number(TIMES ?? 1)) process.kill(process.pid, 'SIGKILL');
}
