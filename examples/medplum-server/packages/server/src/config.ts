// What an operator can set, under the names that Medplum's server knows.

import { resolve } from 'node:path';

export interface Config {
  port: number;
  /** Where clients find this server; ends in a slash. */
  baseUrl: string;
  binaryFolder: string;
}

export function readConfig(env: NodeJS.ProcessEnv): Config {
  const port = Number(env['MEDPLUM_PORT'] ?? 8103);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new Error(`MEDPLUM_PORT is not a port: ${env['MEDPLUM_PORT']}`);
  }
  const storage = env['MEDPLUM_BINARY_STORAGE'] ?? 'file:./binary/';
  if (!storage.startsWith('file:')) {
    throw new Error(`MEDPLUM_BINARY_STORAGE is not a folder (file:PATH): ${storage}`);
  }
  const baseUrl = env['MEDPLUM_BASE_URL'] ?? `http://localhost:${port}/`;
  return {
    port,
    baseUrl: baseUrl.endsWith('/') ? baseUrl : baseUrl + '/',
    binaryFolder: resolve(storage.slice('file:'.length)),
  };
}
