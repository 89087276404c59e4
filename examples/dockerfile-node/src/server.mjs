import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import ms from 'ms';

const file = new URL('../data/visits', import.meta.url);

function visit() {
  const count = Number(readFileSync(file, 'utf8')) + 1;
  writeFileSync(file, `${count}\n`);
  return count;
}

const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  if (request.url === '/health') return response.end('{"status":"ok"}\n');
  const up = ms(Math.round(process.uptime() * 1000));
  response.end(JSON.stringify({ visits: visit(), uid: process.getuid(), up }) + '\n');
});
server.listen(3000, () => console.log('listening on port 3000'));
process.on('SIGTERM', () => server.close());
