// HTTP: /healthcheck, and FHIR's REST interface under /fhir/R4. Binary is the one type that is handled here, because its
// content is no JSON; everything else is the work of Medplum's router.

import {
  allOk,
  badRequest,
  ContentType,
  created,
  getStatus,
  normalizeOperationOutcome,
  OperationOutcomeError,
  type WithId,
} from '@medplum/core';
import { FhirRouter, type FhirRequest, type HttpMethod } from '@medplum/fhir-router';
import type { Binary, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TooLarge, type BinaryStorage } from './binary.js';
import { capabilityStatement } from './metadata.js';
import type { ValidatingRepository } from './repository.js';

const PREFIX = '/fhir/R4';

/** Resources are small; the content of a Binary has a limit of its own. */
const MAX_JSON_BYTES = 4 * 1024 * 1024;

/** An answer that FHIR has no outcome for: the status is said, the text goes into an OperationOutcome. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string
  ) {
    super(message);
  }
}

export class App {
  private readonly router = new FhirRouter();
  private readonly started = new Date();

  constructor(
    private readonly repository: ValidatingRepository,
    private readonly binaries: BinaryStorage,
    private readonly baseUrl: string,
    private readonly version: string
  ) {}

  listen(port: number, ready: () => void): Server {
    const server = createServer((request, response) => {
      this.answer(request, response).catch((error: unknown) => refuse(response, error));
    });
    return server.listen(port, ready);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '/';
    const path = url.split('?', 1)[0] ?? '/';
    if (path === '/healthcheck') {
      return sendJson(response, 200, ContentType.JSON, { ok: true, version: this.version, started: this.started });
    }
    if (path !== PREFIX && !path.startsWith(`${PREFIX}/`)) {
      throw new Refusal(404, `nothing is here: FHIR is at ${PREFIX}`);
    }
    const fhirPath = path.slice(PREFIX.length);
    if (fhirPath === '/metadata' && request.method === 'GET') {
      return send(response, allOk, capabilityStatement(this.baseUrl, this.version, this.started));
    }
    if (fhirPath === '/Binary' && request.method === 'POST') {
      return this.createBinary(request, response);
    }
    const binary = /^\/Binary\/([^/]+)$/.exec(fhirPath);
    if (binary?.[1] && request.method === 'GET' && !wantsFhir(request)) {
      return this.readBinary(binary[1], response);
    }
    return this.route(request, response, url.slice(PREFIX.length));
  }

  private async route(request: IncomingMessage, response: ServerResponse, url: string): Promise<void> {
    const fhirRequest: FhirRequest = {
      method: request.method as HttpMethod,
      url,
      pathname: '',
      params: {},
      query: {},
      headers: request.headers,
      body: await readBody(request),
    };
    const [outcome, resource] = await this.router.handleRequest(fhirRequest, this.repository);
    if (outcome.id === created.id && resource?.id) {
      response.setHeader('location', `${this.baseUrl}fhir/R4/${resource.resourceType}/${resource.id}`);
    }
    send(response, outcome, resource);
  }

  /** Content comes as it is, or inside a Binary resource as base64, whichever the content type says. */
  private async createBinary(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let contentType = request.headers['content-type'] || ContentType.OCTET_STREAM;
    let content = chunks(request);
    if (contentType.startsWith(ContentType.FHIR_JSON)) {
      const sent = (await readBody(request)) as Partial<Binary>;
      if (sent.resourceType !== 'Binary' || typeof sent.contentType !== 'string') {
        throw new OperationOutcomeError(badRequest('Expected a Binary with a contentType'));
      }
      contentType = sent.contentType;
      content = Readable.from([Buffer.from(String(sent.data ?? ''), 'base64')]);
    }
    const id = this.repository.generateId();
    const binary = await this.repository.createResource<Binary>(
      { resourceType: 'Binary', id, contentType },
      { assignedId: true }
    );
    try {
      await this.binaries.writeContent(id, content);
      await this.binaries.writeResource(binary);
    } catch (error) {
      await this.repository.deleteResource('Binary', id);
      throw error;
    }
    response.setHeader('location', `${this.baseUrl}fhir/R4/Binary/${id}`);
    send(response, created, binary);
  }

  private async readBinary(id: string, response: ServerResponse): Promise<void> {
    const binary = await this.repository.readResource<WithId<Binary>>('Binary', id);
    const content = await this.binaries.readContent(id);
    if (!content) {
      return send(response, allOk, binary);
    }
    // Content is whatever a client sent: it is data, and no page of this server.
    response.setHeader('content-security-policy', "default-src 'none'; sandbox");
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('content-type', binary.contentType);
    response.setHeader('content-length', content.length);
    await pipeline(content.stream, response);
  }
}

function wantsFhir(request: IncomingMessage): boolean {
  return request.headers.accept?.includes(ContentType.FHIR_JSON) ?? false;
}

/** Leaves the connection open when reading ends early, so that a refusal can still be sent over it. */
function chunks(request: IncomingMessage): AsyncIterable<Buffer> {
  return request.iterator({ destroyOnReturn: false });
}

/** Gives an empty object where nothing was sent: the router then says which resource it expected. */
async function readBody(request: IncomingMessage): Promise<object> {
  const read: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks(request)) {
    length += chunk.length;
    if (length > MAX_JSON_BYTES) {
      throw new Refusal(413, `more than ${MAX_JSON_BYTES} bytes`);
    }
    read.push(chunk);
  }
  if (length === 0) {
    return {};
  }
  const text = Buffer.concat(read).toString('utf8');
  if (request.headers['content-type']?.startsWith(ContentType.FORM_URL_ENCODED)) {
    return Object.fromEntries(new URLSearchParams(text));
  }
  const body = parseJson(text);
  if (typeof body !== 'object' || body === null) {
    throw new OperationOutcomeError(badRequest('The body is not a JSON object'));
  }
  return body;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new OperationOutcomeError(badRequest('The body is not JSON'));
  }
}

function send(response: ServerResponse, outcome: OperationOutcome, resource?: Resource): void {
  const meta = resource?.meta;
  if (meta?.versionId) {
    response.setHeader('etag', `W/"${meta.versionId}"`);
  }
  if (meta?.lastUpdated) {
    response.setHeader('last-modified', new Date(meta.lastUpdated).toUTCString());
  }
  sendJson(response, getStatus(outcome), ContentType.FHIR_JSON, resource ?? outcome);
}

function sendJson(response: ServerResponse, status: number, contentType: string, body: object): void {
  response.statusCode = status;
  response.setHeader('content-type', `${contentType}; charset=utf-8`);
  response.end(JSON.stringify(body));
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    // Half an answer cannot be taken back; a cut connection is the only honest end.
    response.destroy();
    return;
  }
  if (error instanceof OperationOutcomeError) {
    send(response, error.outcome);
    return;
  }
  const status = error instanceof Refusal ? error.status : error instanceof TooLarge ? 413 : 500;
  if (status === 500) {
    console.error(error);
  }
  const outcome = status === 500 ? badRequest('Internal error') : normalizeOperationOutcome(error);
  // What is left of the request is not read, so the connection cannot carry another one.
  response.setHeader('connection', 'close');
  sendJson(response, status, ContentType.FHIR_JSON, outcome);
}
