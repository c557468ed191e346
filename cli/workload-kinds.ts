/** Kinds as kubectl's users write them. Pure. */
import { WeftError } from '../core/errors.ts'

const kindNames: ReadonlyMap<string, string> = new Map(
  [
    ['Deployment', 'deployment', 'deployments', 'deploy'],
    ['StatefulSet', 'statefulset', 'statefulsets', 'sts'],
    ['DaemonSet', 'daemonset', 'daemonsets', 'ds'],
    ['ReplicaSet', 'replicaset', 'replicasets', 'rs'],
    ['ReplicationController', 'replicationcontroller', 'replicationcontrollers', 'rc'],
    ['Job', 'job', 'jobs'],
    ['CronJob', 'cronjob', 'cronjobs', 'cj'],
    ['Pod', 'pod', 'pods', 'po'],
    ['Service', 'service', 'services', 'svc'],
  ].flatMap(([kind, ...names]) => names.map((name) => [name, kind as string] as const)),
)

/** `deploy` -> `Deployment`; undefined for a word that is no kind. */
export function kindOf(word: string): string | undefined {
  return kindNames.get(word.toLowerCase())
}

/** `deploy/web` -> kind and name. Throws CONFIG_INVALID for a kind that there is not. */
export function parseSubject(subject: string | undefined): {
  readonly kind?: string
  readonly name?: string
} {
  if (subject === undefined) return {}
  const [word = '', name] = subject.split('/')
  const kind = kindOf(word)
  if (kind === undefined)
    throw new WeftError('CONFIG_INVALID', `'${word}' is no kind; try deploy/${word}, or svc/${word}`)
  return { kind, ...(name === undefined || name === '' ? {} : { name }) }
}
