/**
 * Of the tauts that tune a host only one can at a time: each locks a file. Each file of tests has files of its own for
 * that, so that two of them, and another copy of taut, can run side by side.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const dir = mkdtempSync(join(tmpdir(), 'taut-locks-'));
chmodSync(dir, 0o755); // a taut of another user has the same lock
const path = join(dir, 'host.lock');
writeFileSync(path, '');
process.env['TAUT_HOST_LOCK'] = path;

afterAll(() => rmSync(dir, { recursive: true }));
