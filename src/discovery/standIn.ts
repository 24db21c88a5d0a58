/** Processes that have a program's name and are not the program: launchers of versions, and the parts of a window. Pure. */
import { basename, nameOfExecutable } from './plainName.ts';
import type { ProcessFacts } from './sighting.ts';

/** Version managers put one executable under the names of all programs that they manage; it starts the right version. */
const LAUNCHERS = new Set(
  'volta-shim volta mise rtx asdf proto proto-shim aqua aqua-proxy hermit pkgx vfox fnm nodenv pyenv devbox dotslash snap toolbox distrobox'.split(
    ' ',
  ),
);

/** Electron's processes beside the main one. */
const ELECTRON_PART = /^--type=(renderer|gpu-process|zygote|utility|broker|ppapi|sandbox-helper|crashpad-handler)$/;

/** What stands in for the program that the command line names, in words; undefined when it is the program itself. */
export function standIn({ argv, exe }: Pick<ProcessFacts, 'argv' | 'exe'>): string | undefined {
  const part = argv.find((argument) => ELECTRON_PART.test(argument));
  if (part !== undefined) return `argument ${part} is of a part of an Electron window, which is no agent`;
  const executable = nameOfExecutable(exe);
  if (!LAUNCHERS.has(executable) || basename(argv[0] ?? '') === executable) return undefined;
  return `its executable is ${executable}, which starts the program as a child`;
}
