/** Finds names in a flag's targeting (JsonLogic, with flagd's additions) that do not exist. Pure. */
import { nearest } from '../config/nearest.ts';
import { CONTEXT } from './context.ts';
import { isObject } from './json.ts';

const OPERATORS =
  'if ?: == === != !== ! !! or and > >= < <= max min + - * / % map filter reduce all none some merge in cat substr var missing missing_some log starts_with ends_with sem_ver fractional $ref'.split(
    ' ',
  );
/** The second argument of these operators sees an element of the first argument, not the agent. */
const OVER_ELEMENTS = new Set(['map', 'filter', 'reduce', 'all', 'none', 'some']);

type Path = readonly PropertyKey[];

export interface TargetingProblem {
  /** Path within the targeting. */
  readonly path: Path;
  readonly message: string;
  /** True when its evaluation fails; false when its result is most likely not meant. */
  readonly isMistake: boolean;
}

/** @param variants of the flag. @param shared the names of the file's `$evaluators`, which a `$ref` stands for. */
export function targetingProblems(
  targeting: unknown,
  variants: readonly string[],
  shared: readonly string[] = [],
): TargetingProblem[] {
  if (targeting === undefined || targeting === null) return [];
  if (!isObject(targeting)) return [{ path: [], message: 'an object is wanted, like {"if": […]}', isMistake: true }];
  return [...logicProblems(targeting, [], shared), ...unknownVariants(targeting, variants)];
}

function logicProblems(logic: unknown, path: Path, shared: readonly string[]): TargetingProblem[] {
  if (Array.isArray(logic)) return logic.flatMap((one, i) => logicProblems(one, [...path, i], shared));
  if (!isObject(logic)) return [];
  return Object.entries(logic).flatMap(([operator, args]) => {
    const here = [...path, operator];
    if (operator === 'var') return variableProblem(args, here);
    if (operator === '$ref') return referenceProblem(args, here, shared);
    const inside = OVER_ELEMENTS.has(operator) && Array.isArray(args) ? args.slice(0, 1) : args;
    return [...operatorProblem(operator, here), ...logicProblems(inside, here, shared)];
  });
}

function operatorProblem(operator: string, path: Path): TargetingProblem[] {
  if (OPERATORS.includes(operator)) return [];
  const near = nearest(operator, OPERATORS);
  const message = `there is no operator "${operator}"${near ? `; did you mean "${near}"?` : ''}`;
  return [{ path, message, isMistake: true }];
}

function referenceProblem(name: unknown, path: Path, shared: readonly string[]): TargetingProblem[] {
  if (typeof name === 'string' && shared.includes(name)) return [];
  const near = typeof name === 'string' ? nearest(name, shared) : undefined;
  const mend = near ? `did you mean "${near}"?` : `there are: ${shared.join(', ') || 'none'}`;
  return [{ path, message: `${JSON.stringify(name)} is none of $evaluators; ${mend}`, isMistake: true }];
}

function variableProblem(args: unknown, path: Path): TargetingProblem[] {
  const name = Array.isArray(args) ? args[0] : args;
  if (typeof name !== 'string' || name === '' || name.startsWith('$flagd.')) return [];
  if ((CONTEXT as readonly string[]).includes(name)) return [];
  const near = nearest(name, CONTEXT);
  const mend = near ? `did you mean "${near}"?` : `there are ${CONTEXT.join(', ')}`;
  return [{ path, message: `taut gives no "${name}"; ${mend}`, isMistake: false }];
}

function unknownVariants(targeting: unknown, variants: readonly string[]): TargetingProblem[] {
  return outcomes(targeting, []).flatMap(({ path, variant }) => {
    if (variants.includes(variant)) return [];
    const near = nearest(variant, variants);
    const mend = near ? `did you mean "${near}"?` : `there are: ${variants.join(', ') || 'none'}`;
    return [{ path, message: `"${variant}" is no variant; ${mend}`, isMistake: true }];
  });
}

/** The variants that the targeting names literally; computed ones are unknown. */
function outcomes(logic: unknown, path: Path): { path: Path; variant: string }[] {
  if (typeof logic === 'string' || typeof logic === 'boolean') return [{ path, variant: String(logic) }];
  if (!isObject(logic)) return [];
  const { if: branches, fractional } = logic;
  if (Array.isArray(branches))
    return branches.flatMap((branch, i) => {
      const isOutcome = i % 2 === 1 || (i > 0 && i === branches.length - 1);
      return isOutcome ? outcomes(branch, [...path, 'if', i]) : [];
    });
  if (!Array.isArray(fractional)) return [];
  return fractional.flatMap((share, i) =>
    Array.isArray(share) && typeof share[0] === 'string'
      ? [{ path: [...path, 'fractional', i, 0], variant: share[0] }]
      : [],
  );
}
