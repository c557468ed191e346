/** AdmissionReview v1, request and response. Pure. */
import { fieldsOf, parseJson } from './json-fields.ts'
import type { PatchOperation } from './patch.ts'

export type AdmissionRequest = {
  readonly uid: string
  readonly namespace: string
  readonly operation: string
  readonly dryRun: boolean
  readonly isPod: boolean
  readonly object: unknown
}

export type ReadReview =
  | { readonly ok: true; readonly request: AdmissionRequest }
  | { readonly ok: false; readonly problem: string }

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

const apiVersion = 'admission.k8s.io/v1'

/** What the API server asks, or why it cannot be told what to do. */
export function readReview(body: string): ReadReview {
  const review = fieldsOf(parseJson(body))
  if (review['kind'] !== 'AdmissionReview' || review['apiVersion'] !== apiVersion)
    return { ok: false, problem: `it is no AdmissionReview of ${apiVersion}` }
  const request = fieldsOf(review['request'])
  const uid = text(request['uid'])
  if (uid === '') return { ok: false, problem: 'request.uid is missing' }
  const { group, resource } = fieldsOf(request['resource'])
  return {
    ok: true,
    request: {
      uid,
      // A pod has no namespace of its own yet when it is made.
      namespace: text(request['namespace']),
      operation: text(request['operation']),
      dryRun: request['dryRun'] === true,
      isPod: group === '' && resource === 'pods' && text(request['subResource']) === '',
      object: request['object'],
    },
  }
}

/** What becomes of the pod, before it is put into the form of a review. */
export type Verdict =
  | {
      readonly allowed: true
      readonly patch: readonly PatchOperation[]
      readonly warnings: readonly string[]
      readonly reason: string
    }
  | { readonly allowed: false; readonly code: 400 | 403; readonly reason: string }

/** The API server cuts longer ones. */
const longestWarning = 256

/** The review to answer with. It echoes the request's uid, and carries no patch rather than an empty one. */
export function reviewResponse(uid: string, verdict: Verdict): object {
  if (!verdict.allowed) {
    const status = { code: verdict.code, message: verdict.reason }
    return { apiVersion, kind: 'AdmissionReview', response: { uid, allowed: false, status } }
  }
  const { patch, warnings } = verdict
  const encoded = Buffer.from(JSON.stringify(patch)).toString('base64')
  const response = {
    uid,
    allowed: true,
    ...(patch.length === 0 ? {} : { patchType: 'JSONPatch', patch: encoded }),
    ...(warnings.length === 0 ? {} : { warnings: warnings.map((line) => line.slice(0, longestWarning)) }),
  }
  return { apiVersion, kind: 'AdmissionReview', response }
}
