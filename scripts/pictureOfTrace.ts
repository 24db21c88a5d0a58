/**
 * Takes a picture of Jaeger's page of a trace, as docs/plugins.md shows it; needs Chromium:
 *   node scripts/pictureOfTrace.ts http://localhost:16686 TRACE docs/turn.png
 */
import { writeFileSync } from 'node:fs';
import { photograph, SPANS } from './photograph.ts';

const [, , jaeger, trace, picture] = process.argv;
if (picture === undefined) throw new Error('usage: node scripts/pictureOfTrace.ts JAEGER TRACE PICTURE');
const page = `${jaeger}/trace/${trace}`;
writeFileSync(picture, await photograph(page, { width: 1200, height: 720, isThere: SPANS }));
