/** Installs real agents from their registries, once for each version, outside the tree. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** What a registry has: everything that it takes to install a program, and to find its command then. */
export interface Installable {
  /** As the built-in rules call it. */
  readonly name: string;
  readonly registry: 'npm' | 'pypi';
  readonly package: string;
  /** Exactly this one: what is known of its processes is known of this version. */
  readonly version: string;
  /** Of the command, in the folder of commands that its installation makes. */
  readonly command: string;
  /** The oldest Python that it runs on, like `3.12`; any when it is not given. */
  readonly python?: string;
}

export interface Installed {
  /** Everything of the program is in it. */
  readonly folder: string;
  /** The command, as a user would type it with its path. */
  readonly command: string;
}

/** Where installed agents are kept: gigabytes. */
export const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'taut-agents');

/** Under an older Node npm silently takes other versions of some agents; this one is first on the agents' PATH, too. */
export const NODE_FOLDER = dirname(process.execPath);

/** Installs Python's packages many times faster than pip does. */
const UV = { version: '0.13.9', folder: join(CACHE, 'uv-0.13.9') };

/** Where a program is once it is installed. */
export function installed({ name, registry, package: id, version, command }: Installable): Installed {
  const pin = JSON.stringify([registry, id, version, process.version, process.arch]);
  const folder = join(CACHE, `${name}-${createHash('sha256').update(pin).digest('hex').slice(0, 16)}`);
  return { folder, command: join(folder, registry === 'npm' ? 'node_modules/.bin' : 'venv/bin', command) };
}

/** Installs programs, two at a time, in this order. @returns a promise for each; it fails when the program can't be installed. */
export function installAll(programs: readonly Installable[]): ReadonlyMap<Installable, Promise<Installed>> {
  const lanes = [Promise.resolve(), Promise.resolve()];
  const jobs = programs.map((program, index) => {
    const job = (lanes[index % lanes.length] ?? Promise.resolve()).then(() => install(program));
    lanes[index % lanes.length] = job.then(
      () => undefined,
      () => undefined, // who waits for the job sees why
    );
    return [program, job] as const;
  });
  return new Map(jobs);
}

/** @throws Error when it can't be installed. */
async function install(program: Installable): Promise<Installed> {
  const { registry, package: id, version } = program;
  const { folder, command } = installed(program);
  const complete = join(folder, '.complete');
  if (existsSync(complete)) return { folder, command };
  process.stderr.write(`installing ${id} ${version} (once): ${folder}\n`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  if (registry === 'npm') {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const quietly = ['--no-audit', '--no-fund', '--loglevel=error'];
    await run(folder, 'npm', 'install', '--save-exact', ...quietly, `${id}@${version}`);
  } else {
    const python = pythonFor(program);
    if (python === undefined) throw new Error(`${id} needs Python ${program.python}, which this machine does not have`);
    const uv = await uvCommand();
    await run(folder, uv, 'venv', '--quiet', '--python', python, 'venv');
    await run(folder, uv, 'pip', 'install', '--quiet', '--python', 'venv/bin/python', `${id}==${version}`);
  }
  writeFileSync(complete, '');
  return { folder, command };
}

/** The Python that a program is installed with; undefined when there is none that is new enough. */
export function pythonFor({ python = '3.0' }: Installable): string | undefined {
  const [, least = 0] = python.split('.').map(Number);
  return pythons().find(([minor]) => minor >= least)?.[1];
}

/** The Pythons of this machine with their minor versions: Debian's before pyenv's, an older one before a newer one. */
function pythons(): [number, string][] {
  const pyenv = join(homedir(), '.pyenv/versions');
  const folders = [
    '/usr/bin',
    ...(existsSync(pyenv) ? readdirSync(pyenv) : []).map((version) => join(pyenv, version, 'bin')),
  ];
  return folders
    .flatMap((folder) => [11, 12, 13, 14].map((minor): [number, string] => [minor, join(folder, `python3.${minor}`)]))
    .filter(([, path]) => existsSync(path))
    .toSorted(([a], [b]) => a - b);
}

let uv: Promise<string> | undefined;

function uvCommand(): Promise<string> {
  uv ??= (async () => {
    const command = join(UV.folder, 'bin/uv');
    if (existsSync(command)) return command;
    mkdirSync(CACHE, { recursive: true });
    await run(CACHE, 'python3', '-m', 'venv', UV.folder);
    await run(
      CACHE,
      join(UV.folder, 'bin/pip'),
      'install',
      '--quiet',
      '--disable-pip-version-check',
      `uv==${UV.version}`,
    );
    return command;
  })();
  return uv;
}

async function run(cwd: string, command: string, ...args: string[]): Promise<void> {
  const env = { ...process.env, PATH: `${NODE_FOLDER}:${process.env['PATH']}` };
  // It ends with this process, should that be killed.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', command, ...args], { cwd, env, stdio: ['ignore', 2, 2] });
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed with ${status}`);
}
