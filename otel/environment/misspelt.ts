/** What of the environment has no effect though somebody may think that it has. */
import { nearest } from '../../src/config/nearest.ts';
import { destination } from './destination.ts';
import { deciding, type Env, oneOf, read, SIGNALS } from './values.ts';
import { EXEMPLAR_FILTERS, VARIABLES } from './variables.ts';

const KNOWN = VARIABLES.flatMap(({ names }) => names);
/** The specification has such names for what one language's SDK alone knows: OTEL_{LANGUAGE}_{FEATURE}. */
const OF_A_LANGUAGE = /^OTEL_(CPP|DOTNET|ERLANG|GO|INSTRUMENTATION|JAVA|JAVAAGENT|JS|NODE|PHP|PYTHON|RUBY|RUST|SWIFT)_/;

/** Sentences for the operator. A name that is far from all known ones is another program's, and is not mentioned. */
export function withoutEffect(env: Env): string[] {
  const names = namesIn(env).filter((name) => !KNOWN.includes(name) && !OF_A_LANGUAGE.test(name));
  const misspelt = names.flatMap((name) => {
    const near = KNOWN.find((known) => isNear(name.split('_'), known.split('_')));
    return near === undefined ? [] : [`${name} is not known, and has no effect; did you mean ${near}?`];
  });
  const filter = oneOf(env, 'OTEL_METRICS_EXEMPLAR_FILTER', EXEMPLAR_FILTERS);
  return [
    ...misspelt,
    ...(read(env, 'OTEL_ENTITIES') === undefined ? [] : ['OTEL_ENTITIES has no effect: the SDK has no entities']),
    ...withoutTls(env),
    ...(filter === 'always_on' ? ['OTEL_METRICS_EXEMPLAR_FILTER has no effect: the SDK has no exemplars'] : []),
  ];
}

/** Certificates for an address to which nothing is encrypted. */
function withoutTls(env: Env): string[] {
  return SIGNALS.flatMap((signal) => {
    const to = destination(env, signal);
    if (to.kind !== 'otlp' || to.address.startsWith('https:')) return [];
    const set = ['CERTIFICATE', 'CLIENT_KEY'].map((what) => deciding(env, signal, what));
    const names = set.filter((name) => read(env, name) !== undefined);
    return names.map((name) => `${name} has no effect on ${signal}: their address begins with http://, not https://`);
  });
}

export function namesIn(env: Env): string[] {
  return Object.keys(env).filter((name) => name.startsWith('OTEL_') && read(env, name) !== undefined);
}

/** Word by word: the whole names are long, and have so much in common that most are near to each other. */
function isNear(words: readonly string[], known: readonly string[]): boolean {
  if (words.length === known.length) return words.every((word, i) => nearest(word, [known[i] ?? '']) !== undefined);
  const [longer, shorter] = words.length > known.length ? [words, known] : [known, words];
  return (
    longer.filter((word) => !shorter.includes(word)).length === 1 && shorter.every((word) => longer.includes(word))
  );
}
