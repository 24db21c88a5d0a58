/**
 * What must hold for every agent with a built-in rule, whatever it is called: command lines are made from the rules, and the
 * same program that is started in another way must be decided in the same way.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { COMMANDS, WITHOUT_COMMANDS } from '../../src/config/agentCommands.ts';
import { BUILTIN_RULES } from '../../src/config/builtinRules.ts';
import { parseConfig } from '../../src/config/load.ts';
import { decide, NO_PROCESS } from '../../src/discovery/matcher.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';

const RULES = compileRules(parseConfig('version: 1', 'test.yaml'));
const MODULES = '/usr/lib/node_modules';
const PACKAGES = '/home/u/v/lib/python3.13/site-packages';
const EXECUTABLES: Readonly<Record<string, string>> = { node: '/usr/bin/node', python3: '/usr/bin/python3.13' };

function nameOf(argv: readonly string[], exe = EXECUTABLES[argv[0] ?? ''] ?? argv[0]): string | undefined {
  return decide({ ...NO_PROCESS, pid: 1, argv, exe, comm: '' }, RULES).rule?.name;
}

const all = (texts: string | readonly string[] | undefined): readonly string[] => [texts ?? []].flat();
const isRunBy = (runtime: string) => (rule: (typeof BUILTIN_RULES)[number]) => all(rule.runtime).includes(runtime);
const NAMES = [...new Set(BUILTIN_RULES.flatMap(({ program }) => all(program)))].filter((name) => name.length > 3);
const NPM = BUILTIN_RULES.filter(isRunBy('node')).flatMap((rule) => all(rule.package));
const PIP = BUILTIN_RULES.filter(isRunBy('python')).flatMap((rule) => all(rule.package));

/** Command lines of agents: native programs, and the scripts of interpreters. */
const NATIVE = NAMES.map((name) => [`/home/u/.local/bin/${name}`, '--resume']);
const SCRIPTS = [
  ...NPM.map((one) => ['node', `${MODULES}/${one}/dist/index.js`, '--resume']),
  ...NAMES.map((name) => ['node', `/home/u/p/node_modules/.bin/${name}`, '--resume']),
];
const PYTHON = [
  ...PIP.map((one) => ['python3', '-m', one]),
  ...NAMES.map((name) => ['python3', `/home/u/v/bin/${name}`]),
];
const agents = (lines: readonly string[][]) => lines.filter((argv) => nameOf(argv) !== undefined);

test('most rules have a command line of this kind', () => {
  expect([agents(NATIVE).length, agents(SCRIPTS).length, agents(PYTHON).length].every((n) => n > 10)).toBe(true);
  const named = new Set([...NATIVE, ...SCRIPTS, ...PYTHON].map((argv) => nameOf(argv)));
  // The others are known by their folder, or by what they talk to.
  const others = BUILTIN_RULES.filter(({ name }) => !named.has(name));
  expect(others.filter(({ path, exe, dns, anyArg }) => !path && !exe && !dns && !anyArg)).toEqual([]);
  expect(named.size).toBeGreaterThan(30);
});

test('K2: a Python package, its module and its file are one program', () => {
  for (const one of PIP) {
    const [name, folder] = [nameOf(['python3', '-m', one]), one.replaceAll('.', '/')];
    expect(name, one).toBeDefined();
    const isModule = one.includes('.');
    for (const argv of [
      ['python3', '-Im', one],
      ['python3', '-X', 'dev', '-m', one, 'chat'],
      ['python3', `${PACKAGES}/${folder}${isModule ? '' : '/main'}.py`],
      ...(isModule ? [] : [['python3', `${PACKAGES}/${folder}/__main__.py`]]),
      ...(isModule ? [] : [['python3', '-m', `${one}.main`, 'chat']]),
    ])
      expect(nameOf(argv), argv.join(' ')).toBe(name);
  }
});

test('K3: a title that is a whole command line decides as that command line', () => {
  for (const argv of agents([...SCRIPTS, ...PYTHON]))
    expect(nameOf([argv.join(' ')], EXECUTABLES[argv[0] ?? '']), argv.join(' ')).toBe(nameOf(argv));
});

test('K3: the words of a title are no agent in a program that has nothing to do with them', () => {
  for (const argv of agents([...SCRIPTS, ...PYTHON]))
    expect(nameOf([argv.join(' ')], '/usr/bin/watcher'), argv.join(' ')).toBeUndefined();
});

test('K5: what only starts an agent is none', () => {
  for (const name of [...NAMES, ...NPM])
    for (const launcher of [
      ...[
        'bunx',
        'bunx --bun',
        'bun x',
        'bun run',
        'bun --filter app',
        'deno task',
        'node --run',
        'pnpm dlx',
        'yarn dlx',
      ],
      ...[
        'uvx',
        'pipx run',
        'uv tool run',
        'mise exec --',
        'env',
        'sudo',
        'nohup',
        'timeout 5',
        'strace -f',
        'tmux new',
      ],
      ...[
        'node /usr/bin/npx',
        'node /usr/bin/npm exec',
        'python3 /usr/bin/pipx run',
        'sh -c',
        'script -c',
        'direnv exec .',
      ],
    ])
      expect(nameOf([...launcher.split(' '), name]), `${launcher} ${name}`).toBeUndefined();
});

/** How an agent of this name is started without arguments; several, if it is native and a script. */
function startsOf(agent: string): string[][] {
  const programs = BUILTIN_RULES.filter(({ name }) => name === agent).flatMap(({ program }) => all(program));
  const folders = ['/home/u/bin', '/home/u/.grok', '/home/u/.amp', '/home/u/.crush', '/home/u/.kilo', '/home/u/p/.bin'];
  const native = programs.flatMap((program) => folders.map((folder) => [`${folder}/${program}`]));
  const scripts = native.flatMap(([path = '']) => [
    ['node', path],
    ['python3', path],
  ]);
  return [...native, ...scripts].filter((argv) => nameOf(argv) === agent);
}

test('K6, K7: a command beside the agent is none, and the same word in a prompt or as a value is', () => {
  for (const [agent, { beside, works = [], prints = [] }] of Object.entries(COMMANDS)) {
    // Cursor Agent is known by the path of its script.
    const starts = agent === 'cursor-agent' ? [['node', '/x/cursor-agent/versions/1/index.js']] : startsOf(agent);
    expect(starts.length, agent).toBeGreaterThan(0);
    for (const started of starts) {
      for (const command of beside) {
        const argv = command.split(' ');
        expect(nameOf([...started, ...argv]), `${agent} ${command}`).toBeUndefined();
        expect(nameOf([...started, ...argv, '--x', 'y']), `${agent} ${command}`).toBeUndefined();
        expect(nameOf([...started, `${command} the docs`]), `${agent} ${command}`).toBe(agent);
        // goose has no option with a value before its command.
        if (agent !== 'goose')
          expect(nameOf([...started, '--model', command]), `${agent} --model ${command}`).toBe(agent);
      }
      for (const command of works) expect(nameOf([...started, command]), `${agent} ${command}`).toBe(agent);
      for (const option of [...prints, '--version', '-V', '--help'])
        expect(nameOf([...started, option]), `${agent} ${option}`).toBeUndefined();
    }
  }
});

test('K7: a program without commands takes any word', () => {
  for (const agent of WITHOUT_COMMANDS)
    for (const started of startsOf(agent))
      for (const word of ['mcp', 'daemon', 'completion', 'update', 'login'])
        expect(nameOf([...started, word]), `${started} ${word}`).toBe(agent);
});

test('K8: a part of a window is no agent, whatever the application is called', () => {
  for (const name of NAMES)
    for (const type of ['renderer', 'gpu-process', 'zygote', 'utility'])
      for (const argv of [
        [`/opt/X/${name}`, `--type=${type}`],
        [`/opt/X/${name}`, '--no-sandbox', `--type=${type}`, '--x'],
      ])
        expect(nameOf(argv), argv.join(' ')).toBeUndefined();
});

test('K8: a folder or a file of somebody’s own with the name is no installed program', () => {
  for (const name of NAMES)
    for (const argv of [
      ['node', `/srv/app/extensions/${name}`],
      ['node', `/srv/app/${name}.js`],
      ['python3', `/srv/app/${name}`],
      ['python3', `${name}.py`],
      ['bash', `/srv/app/${name}`],
      ['vim', name],
      ['/usr/bin/grep', name],
    ])
      expect(nameOf(argv), argv.join(' ')).toBeUndefined();
});

test('K10: a script that is known by the end of its path is known in every folder', () => {
  const hosted = BUILTIN_RULES.filter(({ id }) => id.endsWith('-hosted')).flatMap(({ name, path }) =>
    all(path).flatMap((one) => (one.startsWith('*/') ? [[name, one.slice(1)] as const] : [])),
  );
  expect(hosted.length).toBeGreaterThan(5);
  const folder = fc
    .array(fc.stringMatching(/^[\w .@-]{1,12}$/), { maxLength: 5 })
    .map((parts) => parts.map((p) => `/${p}`).join(''));
  fc.assert(
    fc.property(fc.constantFrom(...hosted), folder, fc.constantFrom('node', 'bun'), ([name, end], before, runtime) => {
      expect(nameOf([runtime, before + end])).toBe(name);
    }),
  );
});

test('K12: what runs a program in its own process is seen through', () => {
  for (const argv of agents([...NATIVE, ...SCRIPTS]))
    for (const emulator of [
      'qemu-x86_64-static',
      'qemu-aarch64 -L /usr/aarch64-linux-gnu',
      'box64',
      'FEXInterpreter',
      '/lib64/ld-linux-x86-64.so.2',
    ]) {
      const [program = '', ...rest] = argv;
      const path = program.startsWith('/') ? program : `/usr/bin/${program}`;
      const words = [...emulator.split(' '), path, ...rest];
      expect(nameOf(words, words[0]), words.join(' ')).toBe(nameOf(argv));
    }
  for (const [interpreter = '', ...rest] of agents(PYTHON))
    for (const tracer of [
      ...[
        '-m debugpy --listen 5678 --wait-for-client',
        '-m cProfile -o out.prof',
        '-m pdb -c continue',
        '-m coverage run',
      ],
      ...['-m trace -f x', '-X dev -m viztracer -o x.json', '-m memray run -o x.bin'],
    ]) {
      const words = [interpreter, ...tracer.split(' '), ...rest];
      expect(nameOf(words), words.join(' ')).toBe(nameOf([interpreter, ...rest]));
    }
});
