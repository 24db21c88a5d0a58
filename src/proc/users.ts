/** Whose a process is. */
import { readFileSync } from 'node:fs';
import { optional, type ProcHandle } from './handle.ts';
import { effectiveUserOf } from './status.ts';

/** The effective user's id, and the names for it in /etc/passwd. @throws TautError */
export function usersOf(process: ProcHandle): string[] {
  const uid = effectiveUserOf(process.text('status', 8_192)) ?? '';
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  const names = lines.map((line) => line.split(':')).filter((fields) => fields[2] === uid);
  return [uid, ...names.map(([name = '']) => name)];
}

/** The effective user's name, or the id where it has none; undefined when that is unknown. */
export function userNameOf(process: ProcHandle): string | undefined {
  const [uid, name] = optional(() => usersOf(process), []);
  return name || uid || undefined;
}
