// Starts an app and ends it: the first process of a container gets no default action for SIGTERM.

import { serve } from '@hono/node-server';
import type { Hono } from 'hono';

export function listen(app: Hono): void {
  const port = Number(process.env.PORT);
  const server = serve({ fetch: app.fetch, port }, () => console.log(`listening on port ${port}`));
  process.on('SIGTERM', () => server.close());
}
