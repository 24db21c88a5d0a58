/** A backend that takes everything, in a process of its own so that its CPU time is not counted: GET tells how many bytes came since the last GET. */
import { createServer } from 'node:http';

let bytes = 0;
const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.end(String(bytes));
    bytes = 0;
    return;
  }
  request.on('data', (chunk) => {
    bytes += chunk.length;
  });
  request.on('end', () => response.end());
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`port ${server.address().port}\n`));
process.stdin.on('end', () => process.exit()).resume(); // ends with who started it
