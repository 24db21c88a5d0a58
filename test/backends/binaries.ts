/** The backends, built from their Go modules once for each version of what they are built from. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

interface Recipe {
  readonly module: string;
  /** Beside go.mod and go.sum. */
  readonly sources: readonly string[];
  readonly build: readonly string[];
  /** Builds a copy of a module's folder, which leaves these parts out. */
  readonly copy?: { readonly of: string; readonly folder: string; readonly parts: readonly RegExp[] };
}

const RECIPES = {
  jaeger: { module: 'jaeger-collector', sources: [], build: ['github.com/jaegertracing/jaeger/cmd/jaeger'] },
  otelcol: { module: 'jaeger-collector', sources: ['otelcol/main.go'], build: ['./otelcol'] },
  prometheus: {
    module: 'prometheus',
    sources: [],
    build: ['-tags', 'netgo,remove_all_sd', 'github.com/prometheus/prometheus/cmd/prometheus'],
  },
  promtool: {
    module: 'prometheus',
    sources: [],
    build: ['-tags', 'netgo,remove_all_sd', '.'],
    // The client of Kubernetes, which no rule needs, would take longer to compile than all the rest.
    copy: {
      of: 'github.com/prometheus/prometheus',
      folder: 'cmd/promtool',
      parts: [
        /^.*"github.com\/prometheus\/prometheus\/discovery\/kubernetes"\n/m,
        /^\t+case \*kubernetes\.SDConfig:\n[\s\S]*?(?=^\t+case )/m,
      ],
    },
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
  const { module, sources, build, copy }: Recipe = RECIPES[name];
  const folder = join(import.meta.dirname, module);
  const hash = createHash('sha256').update(JSON.stringify(build));
  for (const file of ['go.mod', 'go.sum', ...sources]) hash.update(readFileSync(join(folder, file)));
  if (copy) hash.update(copy.parts.join());
  const path = join(CACHE, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(path)) return path;
  process.stderr.write(`building ${name} (minutes, once): ${path}\n`);
  mkdirSync(CACHE, { recursive: true });
  // Where Go's own archive installs itself, which a shell that is no login shell may not have on its PATH.
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/local/go/bin` };
  const cwd = copy ? copied(copy, `${path}.src`, { cwd: folder, env }) : folder;
  const args = ['build', '-mod=mod', '-ldflags=-s -w', '-o', `${path}.new`, ...build];
  const { status, error } = spawnSync('go', args, { cwd, env, stdio: ['ignore', 2, 2] });
  if (error) throw new Error(`go can't be run (${error.message}); install Go 1.24 or later`);
  if (status !== 0) throw new Error(`go build of ${name} failed with ${status}`);
  if (copy) rmSync(cwd, { recursive: true });
  renameSync(`${path}.new`, path);
  return path;
}

/** Copies the sources of a program out of its module, without some parts. @returns the folder, which is a module as well. */
function copied(
  { of, folder, parts }: NonNullable<Recipe['copy']>,
  to: string,
  options: { cwd: string; env: NodeJS.ProcessEnv },
): string {
  const list = ['list', '-mod=mod', '-m', '-f', '{{.Dir}}', of];
  const from = join(execFileSync('go', list, { ...options, encoding: 'utf8' }).trim(), folder);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to);
  for (const name of ['go.mod', 'go.sum']) copyFileSync(join(options.cwd, name), join(to, name));
  const names = readdirSync(from).filter((name) => name.endsWith('.go') && !name.endsWith('_test.go'));
  for (const name of names) {
    const text = readFileSync(join(from, name), 'utf8');
    writeFileSync(
      join(to, name),
      parts.reduce((rest, part) => rest.replace(part, ''), text),
    );
  }
  return to;
}
