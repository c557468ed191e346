/** A real Zipkin server as `.ci/run` fetches it, with its storage in memory, and its API. */
import { globSync } from 'node:fs'
import path from 'node:path'
import { startProcess, stopProcess } from '../../bench/process.ts'
import { freePorts } from '../../cli/demo/ports.ts'
import { fetchText, untilAnswering } from '../../cli/demo/sidecar-admin.ts'
import type { ZipkinSpan } from '../../proxy/telemetry/zipkin-format.ts'

const cache = path.join(import.meta.dirname, '../../.cache/zipkin')
/** On a busy machine it takes long to start. */
const startTimeoutMs = 180_000
const dayMs = 86_400_000

export type DependencyLink = {
  readonly parent: string
  readonly child: string
  readonly callCount: number
  readonly errorCount?: number
}

export type ZipkinServer = {
  readonly port: number
  /** Empty while it knows none. */
  readonly trace: (traceId: string) => Promise<readonly ZipkinSpan[]>
  /** Those with a tag (`name` or `name=value`) on a span of the service. */
  readonly tracesWith: (service: string, tag: string) => Promise<readonly (readonly ZipkinSpan[])[]>
  readonly dependencies: () => Promise<readonly DependencyLink[]>
  readonly stop: () => Promise<void>
}

/** The jar; undefined where it is missing. */
export function zipkinJar(): string | undefined {
  const [found] = globSync('zipkin-server-*-exec.jar', { cwd: cache })
  return found === undefined ? undefined : path.join(cache, found)
}

export async function startZipkin(): Promise<ZipkinServer> {
  const jar = zipkinJar()
  if (jar === undefined) throw new Error('Zipkin is not there: see .ci/run')
  const [port] = (await freePorts(1)) as [number]
  const child = startProcess('java', ['-Xmx384m', '-jar', jar], {
    QUERY_PORT: String(port),
    STORAGE_TYPE: 'mem',
  })
  const fallen = (): string | undefined =>
    child.exitCode === null ? undefined : `it ended with status ${child.exitCode}`
  try {
    await untilAnswering({ name: 'Zipkin', port, path: '/health', timeoutMs: startTimeoutMs, fallen })
  } catch (error) {
    await stopProcess(child)
    throw error
  }
  const ask = async <T>(page: string, otherwise: T): Promise<T> => {
    const { status, text } = await fetchText(port, `/api/v2/${page}`)
    return status === 200 ? (JSON.parse(text) as T) : otherwise
  }
  return {
    port,
    trace: (traceId) => ask(`trace/${traceId}`, []),
    tracesWith: (service, tag) =>
      ask(`traces?serviceName=${service}&annotationQuery=${encodeURIComponent(tag)}&limit=50`, []),
    dependencies: () => ask(`dependencies?endTs=${Date.now() + dayMs}&lookback=${2 * dayMs}`, []),
    stop: () => stopProcess(child),
  }
}
