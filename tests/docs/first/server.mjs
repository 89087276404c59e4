import { createServer } from 'node:http';
import ms from 'ms';

const server = createServer((request, response) => {
  response.end(`hello after ${ms(Math.round(process.uptime() * 1000))}\n`);
});
server.listen(3000);
process.on('SIGTERM', () => server.close());
