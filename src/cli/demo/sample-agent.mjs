// A small agent: it streams tokens, paints them, waits on short timers, reads files, runs a tool, and builds when it is told to. It ends
// with its standard input.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs';
import { get } from 'node:http';
import { createInterface } from 'node:readline';

const [port, source] = process.argv.slice(2);

// As agents in a terminal do, it lays out what it shows anew for each token: about a millisecond of work.
const SHOWN = 8_000;
const COLUMNS = 80;
const letters = new Intl.Segmenter();
let answer = '';

function paint() {
  const lines = [''];
  for (const { segment } of letters.segment(answer)) {
    const line = lines.at(-1);
    if (segment === '\n' || line.length === COLUMNS) lines.push(segment);
    else lines[lines.length - 1] = line + segment;
  }
  return lines;
}

get({ host: '127.0.0.1', port }, (response) => {
  response.on('data', (token) => {
    answer = `${answer}${token}`.slice(-SHOWN);
    paint();
  });
});

function tick(n) {
  setTimeout(tick, 1 + (n % 3), n + 1);
}
tick(0);

// Four reads at once, so that every thread of the pool works.
setInterval(() => {
  for (let i = 0; i < 4; i++) readFile(import.meta.filename, () => {});
}, 50);

// The tool waits on its own timers, and must not keep the agent's slack.
setInterval(() => spawn('sleep', ['0.02'], { stdio: 'ignore' }), 1_000);

// Descriptor 3 gets a newline for each file that is compressed. Every process of the build holds it open: it is at its end
// when all of them are gone, and they end when nobody reads it any more.
const JOB = 'while gzip -1c "$0" >/dev/null && echo; do :; done';
const build = [];

function startBuild(jobs) {
  for (let i = 0; i < jobs; i++) build.push(spawn('sh', ['-c', JOB, source], { stdio: ['ignore', 3, 'ignore', 3] }));
  console.log(`build ${build.map(({ pid }) => pid).join(' ')}`);
}

process.on('exit', () => {
  for (const job of build) job.kill();
});
process.on('SIGTERM', () => process.exit(0));
createInterface({ input: process.stdin })
  .on('line', (line) => startBuild(Number(line.replace('build ', ''))))
  .on('close', () => process.exit(0));
console.log('ready');
