/** Annotations that people write, and how their values read. */
export const annotations = {
  /** `enabled` or `disabled`, on a Namespace or a Pod (also as a label); the Pod wins. */
  inject: 'weft.dev/inject',
  /** Explicit inbound addresses: `listen-address:port=application-port`, comma-separated. */
  inbound: 'config.weft.dev/inbound',
  opaquePorts: 'config.weft.dev/opaque-ports',
} as const

export type InboundMapping = {
  readonly host: string
  readonly port: number
  readonly applicationPort: number
}

const mapping = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9A-Za-z.-]+)):([0-9]{1,5})=([0-9]{1,5})$/

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535
}

/** Reads `config.weft.dev/inbound`; the problems name each part that is wrong. */
export function parseInboundAnnotation(
  value: string,
):
  | { readonly ok: true; readonly mappings: readonly InboundMapping[] }
  | { readonly ok: false; readonly problems: readonly string[] } {
  const mappings: InboundMapping[] = []
  const problems: string[] = []
  for (const part of value.split(',').map((text) => text.trim())) {
    const match = mapping.exec(part)
    const port = Number(match?.[3])
    const applicationPort = Number(match?.[4])
    if (match === null || !isPort(port) || !isPort(applicationPort)) {
      problems.push(`'${part}' is not listen-address:port=application-port`)
      continue
    }
    mappings.push({ host: match[1] ?? (match[2] as string), port, applicationPort })
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, mappings }
}
