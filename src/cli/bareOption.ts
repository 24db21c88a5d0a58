import { KNOBS } from '../actuator/knobs.ts';

const BARE = new Map(KNOBS.map(({ option, defaultTarget }) => [`--${option}`, `--${option}=${defaultTarget}`]));
const TAKES_VALUE = new Set(['--config', '--state-dir', '--log-level', '--flags']);

/**
 * `--optimize-timer-slack` alone means 1 ns and takes no word after it: `attach --optimize-timer-slack 4711` is about
 * process 4711, not about 4711 ns. What comes after `--`, and the command of `run`, is not ours to read.
 */
export function bareOption(argv: readonly string[]): string[] {
  const isRun = argv[2] === 'run';
  let ours = true;
  return argv.map((word, i) => {
    const isValue = TAKES_VALUE.has(argv[i - 1] ?? '');
    if (word === '--' || (isRun && i > 2 && !word.startsWith('-') && !isValue)) ours = false;
    return (ours && !isValue && BARE.get(word)) || word;
  });
}
