/** `weft inject` and `weft uninject`: do to manifests what the webhook does to pods. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { text as readAll } from 'node:stream/consumers'
import { WeftError, reasonOf } from '../core/errors.ts'
import { inject } from '../injector/inject.ts'
import { sameJson } from '../injector/patch.ts'
import type { Pod } from '../injector/pod.ts'
import { podTemplatePath } from '../injector/pod-template.ts'
import { readPod } from '../injector/read-pod.ts'
import type { SidecarPlan } from '../injector/sidecar-plan.ts'
import { uninject } from '../injector/uninject.ts'
import { type Workload, workloadOfPod, workloadOfTemplate } from '../injector/workload.ts'
import { editPart, parsePart, splitYaml } from './yaml-stream.ts'

/** What became of one object. */
export type ObjectReport = {
  readonly object: string
  readonly outcome: 'changed' | 'unchanged' | 'refused'
  readonly notes: readonly string[]
}

type Edited = {
  readonly pod: Pod
  readonly outcome: ObjectReport['outcome']
  readonly notes: readonly string[]
}
type Edit = (pod: Pod, workload: Workload) => Edited

export type EditedManifests = { readonly text: string; readonly reports: readonly ObjectReport[] }

/** Whoever calls it has decided: only a pod that says no itself is left out. */
const asked = { annotations: { 'weft.dev/inject': 'enabled' }, labels: {} }

function injecting(plan: SidecarPlan): Edit {
  return (pod, workload) => {
    const injection = inject(pod, asked, plan, workload)
    switch (injection.kind) {
      case 'injected':
        return { pod: injection.pod, outcome: 'changed', notes: injection.warnings }
      case 'skip':
        return { pod, outcome: 'unchanged', notes: [injection.reason] }
      case 'refuse':
        return { pod, outcome: 'refused', notes: [injection.reason] }
    }
  }
}

const uninjecting: Edit = (pod) => {
  const without = uninject(pod)
  return sameJson(without, pod)
    ? { pod, outcome: 'unchanged', notes: ['it has no sidecar'] }
    : { pod: without, outcome: 'changed', notes: [] }
}

type KubernetesObject = {
  readonly apiVersion?: unknown
  readonly kind?: unknown
  readonly metadata?: { readonly name?: unknown } | null
  readonly items?: unknown
}

function isObject(value: unknown): value is KubernetesObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (node, step) => (isObject(node) ? (node as Record<string, unknown>)[step] : undefined),
    value,
  )
}

/** A copy of `value` with another value at `path`. */
function put(value: unknown, path: readonly string[], inner: unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined) return inner
  const object = value as Record<string, unknown>
  return { ...object, [step]: put(object[step], rest, inner) }
}

function editObject(value: unknown, edit: Edit, reports: ObjectReport[]): unknown {
  if (!isObject(value)) return value
  const { apiVersion, kind, metadata, items } = value
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return value
  if (kind.endsWith('List') && Array.isArray(items))
    return { ...value, items: items.map((item) => editObject(item, edit, reports)) }
  const name = typeof metadata?.name === 'string' ? metadata.name : undefined
  const object = `${kind.toLowerCase()}/${name ?? '(generated)'}`
  const path = podTemplatePath(apiVersion, kind)
  if (path === undefined || at(value, path) === undefined) {
    reports.push({ object, outcome: 'unchanged', notes: ['it makes no pods'] })
    return value
  }
  const read = readPod(at(value, path))
  if (!read.ok) {
    reports.push({ object, outcome: 'refused', notes: read.problems })
    return value
  }
  const workload = path.length === 0 ? workloadOfPod(read.pod.metadata) : workloadOfTemplate(kind, name)
  const { pod, ...report } = edit(read.pod, workload)
  reports.push({ object, ...report })
  return report.outcome === 'changed' ? put(value, path, pod) : value
}

function editManifests(text: string, edit: Edit): EditedManifests {
  const reports: ObjectReport[] = []
  const texts = splitYaml(text).map((part) => {
    const parsed = parsePart(part)
    if (!parsed.ok) throw new WeftError('YAML_INVALID', `line ${parsed.line}: ${parsed.problem}`)
    const after = editObject(parsed.value, edit, reports)
    return after === parsed.value || sameJson(after, parsed.value)
      ? part.text
      : editPart(part, parsed.value, after)
  })
  return { text: texts.join(''), reports }
}

/** Gives every pod and template of pods its sidecar. Pure. Throws YAML_INVALID. */
export function injectManifests(text: string, plan: SidecarPlan): EditedManifests {
  return editManifests(text, injecting(plan))
}

/** Takes every sidecar out. Pure. Throws YAML_INVALID. */
export function uninjectManifests(text: string): EditedManifests {
  return editManifests(text, uninjecting)
}

/** The PEM of `file`. Throws CERTIFICATE_INVALID: no sidecar could enrol with something else. */
export function checkedBundle(pem: string, file: string): string {
  try {
    // It reads the first of them.
    new X509Certificate(pem)
    return pem
  } catch (error) {
    throw new WeftError('CERTIFICATE_INVALID', `${file} holds no certificate: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

/** Reads a file, or standard input for `-`. Throws FILE_UNREADABLE. */
export async function readManifests(file: string): Promise<string> {
  try {
    return file === '-' ? await readAll(process.stdin) : readFileSync(file, 'utf8')
  } catch (error) {
    throw new WeftError('FILE_UNREADABLE', `cannot read ${file}: ${reasonOf(error)}`, { cause: error })
  }
}

/** Writes the manifests to standard output and what became of each object to standard error; gives the exit status. */
export function writeManifests({ text, reports }: EditedManifests): number {
  process.stdout.write(text)
  for (const { object, outcome, notes } of reports)
    process.stderr.write(`${[`${object} ${outcome}`, ...notes].join(': ')}\n`)
  return reports.some(({ outcome }) => outcome === 'refused') ? 1 : 0
}
