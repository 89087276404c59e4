// Runs in the build: products.csv → prices/list.json, signed with a key that only the build knows.
//     node prices.mjs CURRENCY RELEASE

import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

/** How many of each currency a euro is worth in this shop. */
const RATES: Record<string, number> = { EUR: 1, SEK: 11 };
/** What an Ed25519 key has in front of its 32 bytes (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** One line of CSV; a field in quotes may hold commas. */
function fields(line: string): string[] {
  return [...line.matchAll(/("([^"]*)"|[^,]*)(,|$)/g)].slice(0, -1).map((match) => match[2] ?? match[1]);
}

const [currency, release] = process.argv.slice(2);
const rate = RATES[currency];
if (!rate) throw new Error(`no rate for ${currency}`);
const [, ...lines] = readFileSync('products.csv', 'utf8').trim().split('\n');
const products = lines.map(fields).map(([sku, name, cents]) => {
  const price = Math.round(Number(cents) * rate);
  if (!sku || !name || !(price > 0)) throw new Error(`not a product: ${[sku, name, cents]}`);
  return { sku, name, price };
});
const list = JSON.stringify({ currency, release, products }) + '\n';

const seed = createHash('sha256').update(readFileSync('/run/secrets/price_key')).digest();
const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
mkdirSync('prices', { recursive: true });
writeFileSync('prices/list.json', list);
writeFileSync('prices/list.sig', sign(null, Buffer.from(list), key));
writeFileSync('prices/key.pub', createPublicKey(key).export({ format: 'pem', type: 'spki' }));
console.log(`${products.length} prices in ${currency}`);
