/** The beginning of a text's SHA-256, 16 hexadecimal digits. `node:crypto` is loaded at the first: most commands need none. */
export function digest(text: string): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex').slice(0, 16);
}
