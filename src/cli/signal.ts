/** Resolves with the first SIGTERM or SIGINT (or SIGHUP, where that is nothing else's). Keeps the process alive until then. */
export function untilSignal(signals: readonly NodeJS.Signals[]): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const alive = setInterval(() => {}, 1 << 30);
    for (const signal of signals)
      process.once(signal, () => {
        clearInterval(alive);
        resolve(signal);
      });
  });
}
