/** Installs real agents from their registries, once for each version, outside the tree. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Package } from './programs.ts';

export interface Installed {
  /** Everything of the program is in it. */
  readonly folder: string;
  /** The command, as a user would type it with its path. */
  readonly command: string;
}

/** Where installed agents are kept: hundreds of megabytes, a minute or two. */
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'taut-agents');

/** Under an older Node npm silently takes other versions of some agents; this one is first on the agents' PATH, too. */
export const NODE_FOLDER = dirname(process.execPath);

/** @throws Error when it can't be installed. */
export function install({ name, registry, package: id, version, command }: Package): Installed {
  const pin = JSON.stringify([registry, id, version, process.version, process.arch]);
  const folder = join(CACHE, `${name}-${createHash('sha256').update(pin).digest('hex').slice(0, 16)}`);
  const commands = join(folder, registry === 'npm' ? 'node_modules/.bin' : 'venv/bin');
  const complete = join(folder, '.complete');
  if (!existsSync(complete)) {
    process.stderr.write(`installing ${id} ${version} (once): ${folder}\n`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    if (registry === 'npm') {
      writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
      run(folder, 'npm', 'install', '--save-exact', '--no-audit', '--no-fund', '--loglevel=error', `${id}@${version}`);
    } else {
      run(folder, 'python3', '-m', 'venv', 'venv');
      run(folder, join(commands, 'pip'), 'install', '--quiet', '--disable-pip-version-check', `${id}==${version}`);
    }
    writeFileSync(complete, '');
  }
  return { folder, command: join(commands, command) };
}

function run(cwd: string, command: string, ...args: string[]): void {
  const env = { ...process.env, PATH: `${NODE_FOLDER}:${process.env['PATH']}` };
  const { status, error } = spawnSync(command, args, { cwd, env, stdio: ['ignore', 2, 2] });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed with ${status}`);
}
