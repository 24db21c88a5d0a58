import { type Config, defaultConfig } from '../config/schema.ts';

/** The configuration that `--config` names; without one the defaults, for which no YAML has to be understood. @throws ConfigError */
export async function readConfig(path: string | undefined): Promise<Config> {
  return path === undefined ? defaultConfig() : (await import('../config/load.ts')).loadConfig(path);
}
