/** flagd's own conformance material, from the package of another language's provider that carries it. None of it is kept here. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CACHE } from './binaries.ts';

const [CRATE, VERSION] = ['open-feature-flagd', '0.3.0'];

/** The folder with `flags/` and `gherkin/` about evaluation, fetched if need be. @throws Error when it can't be had. */
export function conformanceFolder(): string {
  const folder = join(CACHE, 'conformance');
  const manifest = join(folder, 'Cargo.toml');
  mkdirSync(join(folder, 'src'), { recursive: true });
  writeFileSync(join(folder, 'src/lib.rs'), '');
  const ours = '[package]\nname = "conformance"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n[dependencies]\n';
  writeFileSync(manifest, `${ours}${CRATE} = "=${VERSION}"\n`);
  const args = ['metadata', '--format-version', '1', '--manifest-path', manifest];
  const told = execFileSync('cargo', args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { packages } = JSON.parse(told) as { packages: { name: string; manifest_path: string }[] };
  const crate = packages.find(({ name }) => name === CRATE);
  if (!crate) throw new Error(`cargo knows no ${CRATE}`);
  return join(dirname(crate.manifest_path), 'flagd-testbed/evaluator');
}
