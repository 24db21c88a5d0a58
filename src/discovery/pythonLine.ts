/** What a Python command line runs: a file, or a module, also behind a debugger or a profiler. Pure. */
import { basename, plainName } from './plainName.ts';

export interface PythonProgram {
  /** The index of the file, or of the argument that names the module. */
  readonly at: number;
  readonly module: string | undefined;
}

const MODULE = /^-[bBdEhiIOPqsSuvxV]*m(.*)$/;
const CODE = /^-[bBdEhiIOPqsSuvxV]*c/;

/**
 * Modules that run another program in their own process, with their options that take a value; `coverage run` has a command
 * before the program.
 */
const TRACERS: ReadonlyMap<string, { values: ReadonlySet<string>; command?: string }> = new Map(
  Object.entries({
    cProfile: { values: values('-o --outfile -s --sort') },
    profile: { values: values('-o --outfile -s --sort') },
    'profiling.tracing': { values: values('-o --outfile -s --sort') },
    pdb: { values: values('-c --command') },
    ipdb: { values: values('-c --command') },
    pudb: { values: values('--pre-run') },
    trace: { values: values('-f --file -C --coverdir --ignore-module --ignore-dir') },
    runpy: { values: values('') },
    debugpy: {
      values: values(
        '--listen --connect --log-to --parent-session-pid --adapter-access-token --configure-qt --configure-subProcess',
      ),
    },
    pydevd: { values: values('--port --vm_type --client --ppid') },
    coverage: {
      values: values('--context --rcfile --source --omit --include --concurrency --data-file'),
      command: 'run',
    },
    viztracer: { values: values('-o --output_file --output_dir --max_stack_depth --tracer_entries') },
    pyinstrument: { values: values('-o --outfile -r --renderer -i --interval') },
    scalene: { values: values('--outfile --cpu-percent-threshold --profile-only') },
    kernprof: { values: values('-o --outfile -s --setup -u --unit -p --prof-mod -i --output-interval') },
    memory_profiler: { values: values('-o --precision --backend') },
    yappi: { values: values('-o --output-file -f --output-format -c --clock-type') },
    IPython: { values: values('--profile --profile-dir --ipython-dir --log-level -c') },
    ipython: { values: values('--profile --profile-dir --ipython-dir --log-level -c') },
    memray: { values: values('-o --output'), command: 'run' },
  }),
);

function values(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}

/** @returns undefined when the code is an argument or comes from standard input. */
export function pythonProgram(argv: readonly string[], takesValue: ReadonlySet<string>): PythonProgram | undefined {
  const found = programFrom(argv, 1, takesValue);
  if (!found) return undefined;
  const tracer = TRACERS.get(
    found.module ?? plainName(basename((argv[found.at] ?? '').replace(/\/__main__\.py$/, ''))),
  );
  if (!tracer) return found;
  // `runpy` takes the module's name as it is; the others take a file, or `-m` as Python does.
  if (found.module === 'runpy') return named(argv, found.at + 1);
  const after = argv[found.at + 1] === tracer.command ? found.at + 2 : found.at + 1;
  return (
    (tracer.command === undefined || after > found.at + 1 ? programFrom(argv, after, tracer.values) : undefined) ??
    found
  );
}

function programFrom(
  argv: readonly string[],
  from: number,
  takesValue: ReadonlySet<string>,
): PythonProgram | undefined {
  for (let i = from; i < argv.length; i++) {
    const argument = argv[i] ?? '';
    if (argument === '--') return i + 1 < argv.length ? { at: i + 1, module: undefined } : undefined;
    if (takesValue.has(argument)) i++;
    else if (argument === '--module' && !(argv[i + 1] ?? '-').startsWith('-')) return named(argv, i + 1);
    else if (CODE.test(argument)) return undefined;
    else if (MODULE.test(argument)) {
      const attached = MODULE.exec(argument)?.[1];
      return attached ? { at: i, module: attached } : named(argv, i + 1);
    } else if (!argument.startsWith('-') || argument === '-') return { at: i, module: undefined };
  }
  return undefined;
}

function named(argv: readonly string[], at: number): PythonProgram | undefined {
  const module = argv[at];
  return module === undefined ? undefined : { at, module };
}
