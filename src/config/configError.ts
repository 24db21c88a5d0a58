/** The message has one line for each mistake: `file:line:column: what; what to do`. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}
