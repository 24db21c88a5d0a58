/** A package that was installed where it can't run says what is missing. */
import { expect, test } from 'vitest';
import { notLoaded } from '../../src/native/notLoaded.ts';

const PATH = '/app/node_modules/taut/build/Release/taut.node';

test.each([
  [
    'libbpf.so.1: cannot open shared object file: No such file or directory',
    'the native addon needs libbpf.so.1, which is not there: install libbpf 1 (Debian: apt-get install libbpf1)',
  ],
  [
    'libelf.so.1: cannot open shared object file: No such file or directory',
    'the native addon needs libelf.so.1, which is not there: install it',
  ],
  [
    `${PATH}: cannot open shared object file: No such file or directory`,
    `the native addon (${PATH}) was compiled for another machine: pack taut on one like this`,
  ],
  [
    `${PATH}: invalid ELF header`,
    `the native addon (${PATH}) was compiled for another machine: pack taut on one like this`,
  ],
  ['something else', "the native addon can't be loaded: something else"],
])('the loader says %s', (message, said) => {
  expect(notLoaded(PATH, message)).toBe(said);
});
