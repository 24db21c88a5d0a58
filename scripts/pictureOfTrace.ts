/**
 * Takes a picture of Jaeger's page of a trace, as docs/plugins.md shows it; needs Chromium:
 *   node scripts/pictureOfTrace.ts http://localhost:16686 TRACE docs/turn.png
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [, , jaeger, trace, picture] = process.argv;
if (picture === undefined) throw new Error('usage: node scripts/pictureOfTrace.ts JAEGER TRACE PICTURE');
const profile = mkdtempSync(join(tmpdir(), 'taut-picture-'));
try {
  // The page asks for its trace after it was loaded: that much of its own time is let pass.
  const shot = ['--window-size=1200,720', '--virtual-time-budget=10000', `--screenshot=${picture}`];
  const quiet = ['--headless', '--no-sandbox', '--hide-scrollbars', `--user-data-dir=${profile}`];
  execFileSync('chromium', [...quiet, ...shot, `${jaeger}/trace/${trace}`], { stdio: 'ignore' });
} finally {
  rmSync(profile, { recursive: true, force: true });
}
