// /certificates.
import * as z from 'zod';
import { endpoint, writtenAnswer } from '../endpoint.js';
import { deleteCertificate, listCertificates, putCertificate, readCertificate } from '../operations/certificates.js';
import { certificateSchema } from '../operations/schemas.js';
import { pageHeaders, pageQuery } from './paging.js';

const tag = 'Certificates';
const common = { tag, scoped: true, role: 'write' } as const;

/** A certificate as it is told: never with its key. */
const toldCertificate = z
  .object({
    domain: z.string(),
    cert: z.string().describe('PEM.'),
    names: z.string(),
    fingerprint: z.string().describe('SHA-256.'),
    keyType: z.string(),
    notBefore: z.string(),
    notAfter: z.string(),
    faults: z.array(z.string()).optional().describe('Why it cannot be used.'),
    warnings: z.array(z.string()).optional().describe('What clients will object to.'),
  })
  .meta({ id: 'ToldCertificate' });

export const certificateEndpoints = [
  endpoint({
    ...common,
    method: 'get',
    path: '/certificates',
    role: 'read',
    summary: 'Lists certificates, a page at a time.',
    query: pageQuery,
    answers: { 200: { description: 'Certificates, without their keys.', schema: z.array(toldCertificate) } },
    async handle({ workspace, query }) {
      const { certificates, cursor } = await listCertificates(workspace, query);
      return { status: 200, body: certificates, headers: pageHeaders('/certificates', query, cursor) };
    },
  }),
  endpoint({
    ...common,
    method: 'post',
    path: '/certificates',
    summary: 'Stores a certificate, or replaces that of its domain. It is in force without a restart, and needs no route.',
    body: certificateSchema,
    answers: {
      200: { description: 'It is replaced.', schema: toldCertificate },
      201: { description: 'It is stored.', schema: toldCertificate },
    },
    async handle({ workspace, body, conditions }) {
      const answer = writtenAnswer(await putCertificate(workspace, body, conditions));
      return { ...answer, body: { success: true, ...(answer.body as object) } };
    },
  }),
  endpoint({
    ...common,
    method: 'get',
    path: '/certificates/{domain}',
    role: 'read',
    summary: 'Gives a certificate, without its key.',
    answers: { 200: { description: 'The certificate.', schema: toldCertificate }, 404: { description: 'There is none.' } },
    async handle({ workspace, params }) {
      const { certificate, etag } = await readCertificate(workspace, params.domain as string);
      return { status: 200, body: certificate, headers: { ETag: etag } };
    },
  }),
  endpoint({
    ...common,
    method: 'put',
    path: '/certificates/{domain}',
    summary: 'Stores a certificate, or replaces it.',
    body: certificateSchema.omit({ domain: true }).meta({ id: 'CertificatePair' }),
    answers: {
      200: { description: 'It is replaced.', schema: toldCertificate },
      201: { description: 'It is stored.', schema: toldCertificate },
    },
    handle: async ({ workspace, params, body, conditions }) =>
      writtenAnswer(await putCertificate(workspace, { ...body, domain: params.domain as string }, conditions)),
  }),
  endpoint({
    ...common,
    method: 'delete',
    path: '/certificates/{domain}',
    summary: 'Removes a certificate.',
    answers: { 204: { description: 'It is gone.' }, 404: { description: 'There is none.' } },
    async handle({ workspace, params, conditions }) {
      const { revision } = await deleteCertificate(workspace, params.domain as string, conditions);
      return { status: 204, revision };
    },
  }),
];
