/** What a container's fields say is to be run, and as whom: variables, fields of the pod, capabilities. Pure. */
import type { Container, Pod } from './pod-manifest.ts'

/** A field of the pod as the downward API gives it; nothing where it has none. */
export function fieldOf(pod: Pod, podIp: string, fieldPath: string): string {
  const entry = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath)
  if (entry !== null) return pod.metadata[entry[1] as 'labels' | 'annotations']?.[entry[2] as string] ?? ''
  switch (fieldPath) {
    case 'metadata.name':
      return pod.metadata.name
    case 'metadata.namespace':
      return pod.metadata.namespace
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? 'default'
    case 'status.podIP':
      return podIp
    default:
      throw new Error(`the field ${fieldPath} is not known to this kubelet`)
  }
}

/** `$(NAME)` is a variable, `$$` a dollar; what is no variable stays. */
function expanded(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$\$|\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g, (whole, name?: string) =>
    name === undefined ? '$' : (variables.get(name) ?? whole),
  )
}

/** The variables of a container, later ones with the earlier ones in them. */
export function environmentOf(pod: Pod, podIp: string, container: Container): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  for (const { name, value = '', valueFrom } of container.env ?? []) {
    const fieldPath = valueFrom?.fieldRef?.fieldPath
    variables.set(name, fieldPath === undefined ? expanded(value, variables) : fieldOf(pod, podIp, fieldPath))
  }
  return variables
}

/** The program and its arguments; `entrypoint` is the image's. */
export function commandOf(
  { command, args = [] }: Container,
  entrypoint: readonly string[],
  variables: ReadonlyMap<string, string>,
): readonly string[] {
  return [...(command ?? entrypoint), ...args].map((word) => expanded(word, variables))
}

/** `setpriv` with what the security contexts say; `imageUid` is the image's user. */
export function privileges(pod: Pod, container: Container, imageUid: number): readonly string[] {
  const { securityContext: own = {} } = container
  const { securityContext: shared = {} } = pod.spec
  const uid = own.runAsUser ?? shared.runAsUser ?? imageUid
  const gid = own.runAsGroup ?? shared.runAsGroup ?? uid
  const added = (own.capabilities?.add ?? []).map((name) => `+${name.toLowerCase()}`)
  return [
    'setpriv',
    `--reuid=${uid}`,
    `--regid=${gid}`,
    shared.fsGroup === undefined ? '--clear-groups' : `--groups=${shared.fsGroup}`,
    '--inh-caps=-all',
    ...(own.capabilities?.drop?.includes('ALL') === true
      ? [`--bounding-set=${['-all', ...added].join()}`]
      : []),
    ...(own.allowPrivilegeEscalation === false ? ['--no-new-privs'] : []),
  ]
}
