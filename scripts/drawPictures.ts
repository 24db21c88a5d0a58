/**
 * Draws the README's pictures from the measurements of `taut demo --json` on this machine:
 *   taut demo --seconds 20 --json | node scripts/drawPictures.ts docs
 * `npm run picture` does both.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { drawBuild } from './drawBuild.ts';
import { drawLateness, type Measured } from './drawLateness.ts';

const [, , folder] = process.argv;
if (folder === undefined) throw new Error('usage: taut demo --json | node scripts/drawPictures.ts FOLDER');
const { phases, build } = JSON.parse(readFileSync(0, 'utf8'));
const phase = (name: string): Measured =>
  phases.find((one: { name: string }) => one.name === name).metrics['taut.timer.lateness'].reachable;
const machine = `Linux ${release().split('-')[0]}, ${cpus().length} cores`;
const where = `${machine}, ${new Date().toISOString().slice(0, 10)}.`;
writeFileSync(join(folder, 'lateness.svg'), drawLateness(phase('original'), phase('tuned'), where));
writeFileSync(join(folder, 'responsive.svg'), drawBuild(build, where));
