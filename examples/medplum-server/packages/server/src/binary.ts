// The content of Binary resources, kept in the one folder that the server may write to. Beside each content lies the
// resource itself, so that both are there again after a restart although everything else lives in memory.

import type { WithId } from '@medplum/core';
import type { Binary } from '@medplum/fhirtypes';
import type { ReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A scanned document fits; a request that never ends does not fill the disk. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Only names that this server gave out reach the file system: an id of a FHIR resource may also be `..`. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export class TooLarge extends Error {}

export class BinaryStorage {
  constructor(private readonly folder: string) {}

  /** Makes the folder where there is none, and gives what an earlier run left in it. */
  async load(): Promise<WithId<Binary>[]> {
    await mkdir(this.folder, { recursive: true });
    const names = (await readdir(this.folder)).filter((name) => name.endsWith('.json'));
    return Promise.all(names.map(async (name) => JSON.parse(await readFile(join(this.folder, name), 'utf8'))));
  }

  /** Writes under another name first, here and below, so that half a file is never served nor loaded. */
  async writeContent(id: string, content: AsyncIterable<Buffer>): Promise<void> {
    const path = this.path(id);
    const part = `${path}.part`;
    try {
      const file = await open(part, 'wx');
      await pipeline(content, limit(MAX_BYTES), file.createWriteStream());
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }

  async writeResource(binary: WithId<Binary>): Promise<void> {
    const path = `${this.path(binary.id)}.json`;
    await writeFile(`${path}.part`, JSON.stringify(binary));
    await rename(`${path}.part`, path);
  }

  /** Gives nothing for a resource whose content came another way, for example in a batch. */
  async readContent(id: string): Promise<{ stream: ReadStream; length: number } | undefined> {
    if (!UUID.test(id)) {
      return undefined;
    }
    try {
      const file = await open(this.path(id));
      const { size } = await file.stat();
      return { stream: file.createReadStream(), length: size };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        return undefined;
      }
      throw error;
    }
  }

  async remove(id: string): Promise<void> {
    if (UUID.test(id)) {
      await rm(`${this.path(id)}.json`, { force: true });
      await rm(this.path(id), { force: true });
    }
  }

  private path(id: string): string {
    if (!UUID.test(id)) {
      throw new Error(`not an id of a stored binary: ${id}`);
    }
    return join(this.folder, id);
  }
}

function limit(bytes: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      done(seen > bytes ? new TooLarge(`more than ${bytes} bytes`) : null, chunk);
    },
  });
}
