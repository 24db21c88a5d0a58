/** The backends, built from their Go modules once for each version of what they are built from. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

interface Recipe {
  readonly module: string;
  /** Beside go.mod and go.sum. */
  readonly sources: readonly string[];
  readonly build: readonly string[];
}

const RECIPES = {
  jaeger: { module: 'jaeger-collector', sources: [], build: ['github.com/jaegertracing/jaeger/cmd/jaeger'] },
  otelcol: { module: 'jaeger-collector', sources: ['otelcol/main.go'], build: ['./otelcol'] },
  prometheus: {
    module: 'prometheus',
    sources: [],
    build: ['-tags', 'netgo,remove_all_sd', 'github.com/prometheus/prometheus/cmd/prometheus'],
  },
  // Not linked with the C library, so that it resolves names itself.
  'go-client': { module: 'go-client', sources: ['main.go'], build: ['-tags', 'netgo', '.'] },
  'go-feature-flag': { module: 'go-feature-flag', sources: ['main.go'], build: ['.'] },
} satisfies Record<string, Recipe>;

export type BackendName = keyof typeof RECIPES;

export const backendNames = Object.keys(RECIPES) as BackendName[];

/** Where built backends are kept, outside the tree: they take minutes to build. */
export const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'taut-backends');

/** The path of a backend's program, built if need be. @throws Error when it can't be built. */
export function binary(name: BackendName): string {
  const { module, sources, build }: Recipe = RECIPES[name];
  const folder = join(import.meta.dirname, module);
  const hash = createHash('sha256').update(JSON.stringify(build));
  for (const file of ['go.mod', 'go.sum', ...sources]) hash.update(readFileSync(join(folder, file)));
  const path = join(CACHE, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(path)) return path;
  process.stderr.write(`building ${name} (minutes, once): ${path}\n`);
  mkdirSync(CACHE, { recursive: true });
  const args = ['build', '-mod=mod', '-ldflags=-s -w', '-o', `${path}.new`, ...build];
  // Where Go's own archive installs itself, which a shell that is no login shell may not have on its PATH.
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/local/go/bin` };
  const { status, error } = spawnSync('go', args, { cwd: folder, env, stdio: ['ignore', 2, 2] });
  if (error) throw new Error(`go can't be run (${error.message}); install Go 1.24 or later`);
  if (status !== 0) throw new Error(`go build of ${name} failed with ${status}`);
  renameSync(`${path}.new`, path);
  return path;
}
