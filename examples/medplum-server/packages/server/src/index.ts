// A FHIR R4 server on the packages that Medplum publishes: their definitions, validation, search and router, with the
// resources in memory and the content of Binary resources in a folder.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from './app.js';
import { BinaryStorage } from './binary.js';
import { readConfig } from './config.js';
import { loadDefinitions, ValidatingRepository } from './repository.js';

/** Shorter than the ten seconds that Docker waits before it kills. */
const DRAIN_MILLISECONDS = 5000;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const { version } = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8')) as { version: string };
  loadDefinitions();
  const binaries = new BinaryStorage(config.binaryFolder);
  const repository = new ValidatingRepository(binaries);
  await repository.restore(await binaries.load());

  const app = new App(repository, binaries, config.baseUrl, version);
  const server = app.listen(config.port, () => console.log(`listening on port ${config.port}`));

  const stop = (signal: NodeJS.Signals): void => {
    console.log(`${signal}: stopping`);
    setTimeout(() => process.exit(1), DRAIN_MILLISECONDS).unref();
    server.close(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
