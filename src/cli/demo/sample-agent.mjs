// What agents do, in small: stream tokens, wait on many short timers, read files, run a tool. Ends with its standard input.
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

// Four at once: every thread of the pool gets to work.
setInterval(() => {
  for (let i = 0; i < 4; i++) readFile(import.meta.filename, () => {});
}, 50);

// A tool waits on timers of its own, and must not keep the agent's slack.
setInterval(() => spawn('sleep', ['0.02'], { stdio: 'ignore' }), 1_000);

process.stdin.resume().on('end', () => process.exit(0));
console.log('ready');
