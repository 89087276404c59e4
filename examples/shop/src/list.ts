// The signed price list that both apps ship.

import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

export type Product = { sku: string; name: string; price: number };
export type List = { currency: string; release: string; products: Product[] };

/** The list, if it is the one that the build signed. */
export function readList(): List {
  const bytes = readFileSync('prices/list.json');
  const key = createPublicKey(readFileSync('prices/key.pub'));
  if (!verify(null, bytes, key, readFileSync('prices/list.sig'))) {
    throw new Error('prices/list.json is not what the build signed');
  }
  return JSON.parse(bytes.toString());
}

/** `490` in EUR is `4.90 EUR`. */
export function shown(amount: number, { currency }: List): string {
  return `${(amount / 100).toFixed(2)} ${currency}`;
}
