/** Why the addon can't be loaded, in words of what to do. Pure. @param message what the loader of the system says. */
export function notLoaded(path: string, message: string): string {
  const [, file = ''] = /^(?:Error: )?(\S+): cannot open shared object file/.exec(message) ?? [];
  if (file !== '' && file !== path) {
    const install = file.startsWith('libbpf.') ? 'libbpf 1 (Debian: apt-get install libbpf1)' : 'it';
    return `the native addon needs ${file}, which is not there: install ${install}`;
  }
  const isForeign = file === path || /wrong ELF class|invalid ELF header/.test(message);
  if (isForeign) return `the native addon (${path}) was compiled for another machine: pack taut on one like this`;
  return `the native addon can't be loaded: ${message}`;
}
