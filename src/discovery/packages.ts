/** The package that a script belongs to, by its path: npm's, Deno's, or Python's. Pure. */

/**
 * `…/node_modules/@scope/name/…` -> `@scope/name`; for nested packages the innermost one. Deno's cache has the version as a
 * folder: `…/npm/HOST/@scope/name/1.0.0/…`. A folder `@scope/name` outside of these is a package, too.
 */
export function packageOfPath(path: string): string | undefined {
  if (!path.includes('/')) return undefined;
  const at = path.lastIndexOf('/node_modules/');
  if (at >= 0) return packageOf(path.slice(at + '/node_modules/'.length));
  if (!path.includes('@') && !path.includes('/npm/')) return undefined;
  const cached = /\/npm\/[^/]+\.[^/]+\/((?:@[^/]+\/)?[^/@]+)\/\d+\.[^/]*\//.exec(path)?.[1];
  // Bun's cache has the version behind the name: `…/@scope/name@1.0.0@@@1/…`.
  return cached ?? /\/(@[\w.-]+\/[\w.-]+|[\w.-]+(?=@[^/]*@@@\d+\/))(?:@[^/]*)?\//.exec(path)?.[1];
}

function packageOf(path: string): string | undefined {
  const parts = path.split('/');
  const [scope, name] = parts;
  if (scope === undefined || scope.startsWith('.') || parts.length < 2) return undefined;
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}

/** The package that `npm:@scope/name@version/path` specifies, as Deno takes it; undefined for another text. */
export function packageOfSpecifier(text: string): string | undefined {
  return /^npm:\/?((?:@[^/@]+\/)?[^/@]+)(?:@[^/]*)?(?:\/.*)?$/.exec(text)?.[1];
}

/** What `-m x.y` runs: `x.y` and the package `x`. */
export function packagesOfModule(module: string): string[] {
  const dotted = module.replace(/\.__main__$/, '');
  const [top = dotted] = dotted.split('.');
  return top === dotted ? [dotted] : [dotted, top];
}

/**
 * The packages of a Python file. Where Python installs packages, its whole path counts. Elsewhere the folder is the package
 * of `main.py` and `__main__.py`, and another file is just the module `folder.file`.
 */
export function packagesOfFile(path: string): string[] {
  const installed = /\/(?:site|dist)-packages\/(.+?)(?:\.py)?$/.exec(path)?.[1];
  if (installed) return packagesOfModule(installed.replaceAll('/', '.'));
  const [, folder, stem = ''] = /(?:^|\/)([^/]+)\/([^/]+)\.py$/.exec(path) ?? [];
  if (folder === undefined) return [];
  if (stem === '__main__') return [folder];
  return stem === 'main' ? [`${folder}.main`, folder] : [`${folder}.${stem}`];
}
