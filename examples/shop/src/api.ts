// Takes orders: what they cost comes from the list, not from who orders.

import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Hono } from 'hono';
import { readList } from './list.ts';
import { listen } from './serve.ts';

const list = readList();
const app = new Hono();

app.get('/healthz', (context) => context.text('ok\n'));
app.get('/prices', (context) => context.json(list));

app.post('/orders', async (context) => {
  const { items } = await context.req.json().catch(() => ({}));
  if (!Array.isArray(items) || items.length === 0) return context.json({ error: 'no items' }, 400);
  let total = 0;
  for (const { sku, count } of items) {
    const product = list.products.find((product) => product.sku === sku);
    if (!product) return context.json({ error: `no product ${sku}` }, 400);
    if (!Number.isInteger(count) || count < 1) return context.json({ error: `no count for ${sku}` }, 400);
    total += product.price * count;
  }
  const order = { id: randomUUID(), items, total, currency: list.currency };
  writeFileSync(`orders/${order.id}.json`, JSON.stringify(order));
  return context.json(order, 201);
});

app.get('/orders/:id{[0-9a-f-]{36}}', (context) => {
  const file = `orders/${context.req.param('id')}.json`;
  if (!existsSync(file)) return context.json({ error: 'no such order' }, 404);
  return context.json(JSON.parse(readFileSync(file, 'utf8')));
});

listen(app);
