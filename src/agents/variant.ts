/** Which flags decided on an agent, and which variant each gave it: what its series are told apart by. Pure. */
import type { GateDecision } from '../gate/gate.ts';
import type { FlagVariant } from '../tracer/series.ts';

/**
 * One flag may decide on several settings (a profile's), and several flags on one agent: then keys and variants are in the order of
 * the keys, with commas between. Undefined when no flag gave a variant.
 */
export function variantOf(decisions: readonly Pick<GateDecision, 'flag'>[]): FlagVariant | undefined {
  const variants = new Map<string, string>();
  for (const { flag } of decisions) if (flag?.variant !== undefined) variants.set(flag.key, flag.variant);
  if (variants.size === 0) return undefined;
  const all = [...variants].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const joined = (names: readonly string[]) => names.map((name) => name.replaceAll(',', '%2C')).join(',');
  return { key: joined(all.map(([key]) => key)), variant: joined(all.map(([, variant]) => variant)) };
}
