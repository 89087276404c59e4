import { createServer } from 'node:http';

const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ hello: 'world', uid: process.getuid(), path: request.url }) + '\n');
});
server.listen(3000, () => console.log('listening on port 3000'));

// The first process of a container gets no default action for SIGTERM: without this line,
// stopping takes until the engine's patience ends and it kills.
process.on('SIGTERM', () => server.close());
