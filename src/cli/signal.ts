/** Resolves with the first SIGTERM, SIGINT or SIGHUP. Keeps the process alive until then. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const alive = setInterval(() => {}, 1 << 30);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.once(signal, () => {
        clearInterval(alive);
        resolve(signal);
      });
  });
}
