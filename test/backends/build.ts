/** Builds every backend that is not built yet: minutes, which no test's time limit shall pay for. */
import { backendNames, binary } from './binaries.ts';

for (const name of backendNames) binary(name);
