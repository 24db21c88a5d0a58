// A small agent: it streams tokens, waits on short timers, reads files, runs a tool. It ends with its standard input.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs';
import { get } from 'node:http';

const [port] = process.argv.slice(2);

get({ host: '127.0.0.1', port }, (response) => {
  response.resume();
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

process.stdin.resume().on('end', () => process.exit(0));
console.log('ready');
