/** taut with an addon that AddressSanitizer and UBSan watch: a copy of the sources, so that they load that addon. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Program } from '../support/program.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const COPIED = ['package.json', 'binding.gyp', 'native', 'src', 'otel', 'test'];
const BPF = ['taut', 'names', 'buckets', 'empty'].map((name) => `build/${name}.bpf.o`);
const FLAGS = '-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g -O1';

export class SanitizedTaut implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'taut-sanitized-'));
  readonly #runtime: string;

  constructor() {
    for (const path of COPIED) cpSync(join(ROOT, path), join(this.dir, path), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(this.dir, 'node_modules'));
    const nodeGyp = join(ROOT, 'node_modules/node-gyp/bin/node-gyp.js');
    const home = resolve(process.execPath, '../..');
    execFileSync(process.execPath, [nodeGyp, 'rebuild', `--nodedir=${home}`], {
      cwd: this.dir,
      env: { ...process.env, CXXFLAGS: FLAGS, LDFLAGS: FLAGS },
      stdio: 'pipe',
    });
    for (const path of BPF) cpSync(join(ROOT, path), join(this.dir, path));
    // It has to be there before anything else allocates, and Node itself is not built with it.
    this.#runtime = execFileSync('g++', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
  }

  /** Runs a fixture: a path from the clone's root. */
  run(fixture: string, ...args: string[]): Program {
    const env = {
      ...process.env,
      LD_PRELOAD: this.#runtime,
      // Node leaves much to the end of the process; of what is reported, `leaksOf` keeps what is ours.
      ASAN_OPTIONS: 'detect_leaks=1:malloc_context_size=40:detect_stack_use_after_return=1',
      LSAN_OPTIONS: 'exitcode=0:max_leaks=0',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    };
    return new Program(process.execPath, ['--expose-gc', join(this.dir, fixture), ...args], env, this.dir);
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** What a sanitizer has found, other than leaks: each ends the process. */
export function findings({ errors }: Program): string[] {
  const first = errors.findIndex((line) => /ERROR: AddressSanitizer|runtime error:/.test(line));
  return first < 0 ? [] : errors.slice(first, first + 40);
}

/** Frames of ours, and of what works for us alone: by source file, or by module where there are no symbols. */
const OURS = /native\/addon\/|taut\.node|libbpf/;

/** Of the leaks that are reported at the end, those that our addon allocated: it is in their stacks. */
export function leaksOf({ errors }: Program): string[] {
  const blocks = errors.join('\n').split(/\n(?=(?:Direct|Indirect) leak of )/);
  return blocks.slice(1).filter((block) => OURS.test(block.split('\n\n')[0] ?? ''));
}

/** Whether the leaks were looked for at all. */
export function lookedForLeaks({ errors }: Program): boolean {
  return errors.some((line) => line.includes('LeakSanitizer'));
}
