// The CapabilityStatement: what this server can do, read off the definitions that it has loaded.

import { getResourceTypes, globalSchema } from '@medplum/core';
import type { CapabilityStatement } from '@medplum/fhirtypes';

export function capabilityStatement(baseUrl: string, version: string, started: Date): CapabilityStatement {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: started.toISOString(),
    kind: 'instance',
    software: { name: 'medplum-server-example', version },
    implementation: { description: 'A FHIR server on the packages of Medplum', url: `${baseUrl}fhir/R4` },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json'],
    rest: [
      {
        mode: 'server',
        interaction: [{ code: 'batch' }],
        resource: getResourceTypes().map((type) => ({
          type,
          profile: `http://hl7.org/fhir/StructureDefinition/${type}`,
          interaction: [
            { code: 'create' },
            { code: 'read' },
            { code: 'vread' },
            { code: 'update' },
            { code: 'patch' },
            { code: 'delete' },
            { code: 'history-instance' },
            { code: 'search-type' },
          ],
          conditionalCreate: true,
          searchParam: Object.values(globalSchema.types[type]?.searchParams ?? {}).map(({ code, type, url }) => ({
            name: code,
            type,
            definition: url,
          })),
        })),
      },
    ],
  };
}
