// The storefront: pages made of the list, readable without a script.

import { readFileSync } from 'node:fs';
import { Hono } from 'hono';
import { html } from 'hono/html';
import { type Product, readList, shown } from './list.ts';
import { listen } from './serve.ts';

const list = readList();
const style = readFileSync('views/style.css', 'utf8');
const app = new Hono();

const page = (title: string, body: unknown) => html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/style.css">
<title>${title}</title>
<main>${body}</main>
<footer>Release ${list.release}. Orders go to ${process.env.API_URL}</footer>
</html>
`;

const row = (product: Product) => html`
<li><a href="/product/${product.sku}">${product.name}</a> <b>${shown(product.price, list)}</b></li>`;

app.get('/healthz', (context) => context.text('ok\n'));
app.get('/style.css', (context) => context.body(style, 200, { 'content-type': 'text/css; charset=utf-8' }));
app.get('/', (context) => context.html(page('Tea', html`<h1>Tea</h1><ul>${list.products.map(row)}</ul>`)));
app.get('/product/:sku', (context) => {
  const product = list.products.find((product) => product.sku === context.req.param('sku'));
  if (!product) return context.html(page('Not found', html`<h1>Not found</h1>`), 404);
  return context.html(page(product.name, html`<h1>${product.name}</h1><p>${shown(product.price, list)}</p>`));
});

listen(app);
