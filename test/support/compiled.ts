/** C fixtures: compiled once for a test file, and removed after it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { FIXTURES } from './taut.ts';

/** @returns the path of the program. */
export function compiled(fixture: string): string {
  const dir = mkdtempSync(join(tmpdir(), `taut-${fixture}-`));
  afterAll(() => rmSync(dir, { recursive: true }));
  const program = join(dir, fixture);
  execFileSync('clang', ['-O1', '-Wall', '-Werror', '-pthread', '-o', program, join(FIXTURES, `${fixture}.c`)]);
  return program;
}
