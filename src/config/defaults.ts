import { FLAG_PREFIX } from './flagNames.ts';

/** What settings are that nobody gives. */
export const DEFAULTS = {
  logLevel: 'info',
  descendants: 'contain',
  /** Bytes. */
  spoolLimit: 64 << 20,
  /** Milliseconds, as the next. */
  flagPoll: 5_000,
  flagLastKnown: 600_000,
  flagPrefix: FLAG_PREFIX,
  flagTargetingKey: 'process',
} as const;
