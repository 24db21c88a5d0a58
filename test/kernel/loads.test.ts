/** What a command loads, which is what it takes to answer, and for a daemon most of its memory. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesIn, packagesIn } from '../support/loads.ts';
import { Program, until } from '../support/program.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';

/** What is in `dist/cli`; as tsc writes it, it would be several hundreds of modules. */
const MOST_FILES = 120;

const opens = (trace: string) => readFileSync(trace, 'utf8').split('\n');

function traced(sandbox: Sandbox, trace: string, ...args: string[]): Program {
  const strace = ['-f', '-qq', '-s', '200', '-e', 'trace=openat', '-o', trace];
  return new Program('strace', [...strace, LAUNCHER, ...args, '--state-dir', sandbox.stateDir]);
}

test.each([['status'], ['restore', '--dry-run']])(
  '%s loads what reads the command line, and no more while no daemon answers',
  async (...args) => {
    using sandbox = new Sandbox();
    const trace = join(sandbox.dir, 'trace');
    await using program = traced(sandbox, trace, ...args);
    expect(await program.ended).toBe(0);
    expect(packagesIn(opens(trace))).toEqual(new Set(['commander']));
    expect(new Set(filesIn(opens(trace))).size).toBeLessThan(MOST_FILES);
  },
);

test('watch loads nothing for a configuration, flags or a backend that it is not given', async () => {
  using sandbox = new Sandbox();
  const trace = join(sandbox.dir, 'trace');
  await using program = await sandbox.traced(trace, 'watch');
  await program.line(/watching/);
  await until('strace has written that it loaded the SDK', () =>
    packagesIn(opens(trace)).has('@opentelemetry/sdk-metrics'),
  );
  await program.stop();
  const packages = [...packagesIn(opens(trace))];
  expect(packages.filter((name) => /yaml|openfeature|exporter/.test(name))).toEqual([]);
  expect(new Set(filesIn(opens(trace))).size).toBeLessThan(MOST_FILES);
});

/** What of Node itself a command loads. */
async function builtinsOf(...args: string[]): Promise<string[]> {
  using sandbox = new Sandbox();
  const [script, list] = [join(sandbox.dir, 'list.cjs'), join(sandbox.dir, 'list')];
  const write = `require('node:fs').writeFileSync(${JSON.stringify(list)}, process.moduleLoadList.join())`;
  writeFileSync(script, `process.on('exit', () => ${write});`);
  await using program = sandbox.tautWith({ NODE_OPTIONS: `--require ${script}` }, ...args);
  expect(await program.ended).toBe(0);
  return readFileSync(list, 'utf8').split(',');
}

test.each([['status'], ['explain', '1'], ['restore', '--dry-run']])(
  '%s loads none of what Node would load for whoever imports its modules: a fetch, streams of files, web cryptography',
  async (...args) => {
    const loaded = await builtinsOf(...args);
    expect(loaded.filter((name) => /undici|fs\/streams|webcrypto/.test(name))).toEqual([]);
  },
);

test('the help loads nothing of what its commands run', async () => {
  using sandbox = new Sandbox();
  const trace = join(sandbox.dir, 'trace');
  await using program = new Program('strace', [
    '-f',
    '-qq',
    '-s',
    '200',
    '-e',
    'trace=openat',
    '-o',
    trace,
    LAUNCHER,
    '--help',
  ]);
  expect(await program.ended).toBe(0);
  const packages = [...packagesIn(opens(trace))];
  expect(packages.filter((name) => name.startsWith('@open'))).toEqual([]);
});
