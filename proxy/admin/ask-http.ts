/** An HTTP probe, as the kubelet makes it: GET, any certificate, redirects followed on the same host. */
import { type IncomingMessage, request as requestPlain, type RequestOptions } from 'node:http'
import type { HttpHandler } from '../../api/application-probe.ts'
import { formatAddress } from '../../core/address.ts'
import { type ApplicationAddress, localAddressOf } from '../application-addresses.ts'
import { deadline, type ProbeAnswer } from './probe-answer.ts'

/** The kubelet's own limits. */
const longestBodyBytes = 10 * 1024
const mostRedirects = 10

type Question = HttpHandler & { readonly port: number }
type Target = {
  readonly at: ApplicationAddress
  readonly tls: boolean
  readonly port: number
  readonly path: string
  readonly headers: readonly string[]
}

function targetOf(at: ApplicationAddress, { port, path, scheme, httpHeaders }: Question): Target {
  const own = (httpHeaders ?? []).flatMap(({ name, value }) => [name, value ?? ''])
  const has = (name: string) => own.some((entry, i) => i % 2 === 0 && entry.toLowerCase() === name)
  const absolute = path == null || path === '' ? '/' : path.startsWith('/') ? path : `/${path}`
  return {
    at,
    tls: scheme?.toUpperCase() === 'HTTPS',
    port,
    path: absolute,
    headers: [
      ...(has('host') ? [] : ['Host', formatAddress({ host: at.host, port })]),
      ...(has('user-agent') ? [] : ['User-Agent', 'kube-probe/weft']),
      ...(has('accept') ? [] : ['Accept', '*/*']),
      'Connection',
      'close',
      ...own,
    ],
  }
}

/** As much of the body as the kubelet would read. */
function answerOf(reply: IncomingMessage, resolve: (answer: ProbeAnswer) => void): void {
  const pieces: Buffer[] = []
  let bytes = 0
  const status = reply.statusCode ?? 0
  const finish = (): void =>
    resolve({ status, body: Buffer.concat(pieces).subarray(0, longestBodyBytes).toString() })
  reply.on('data', (piece: Buffer) => {
    pieces.push(piece)
    bytes += piece.length
    if (bytes < longestBodyBytes) return
    finish()
    reply.destroy()
  })
  reply.on('end', finish)
}

type Hop = { readonly answer: ProbeAnswer } | { readonly location: string }

async function askOnce({ at, tls, headers, ...rest }: Target, timeoutMs: number): Promise<Hop> {
  // Any certificate will do, as for the kubelet: the application is asked, not believed.
  const options: RequestOptions & { rejectUnauthorized: boolean } = {
    ...rest,
    host: at.host,
    ...localAddressOf(at),
    headers: headers as string[],
    agent: false,
    rejectUnauthorized: false,
  }
  const request = tls ? (await import('node:https')).request : requestPlain
  return new Promise((resolve, reject) => {
    const call = request(options, (reply) => {
      reply.on('error', reject)
      const { location } = reply.headers
      if ([301, 302, 303, 307, 308].includes(reply.statusCode ?? 0) && location !== undefined) {
        resolve({ location })
        reply.destroy()
      } else answerOf(reply, (answer) => resolve({ answer }))
    })
    const done = deadline(timeoutMs, (error) => call.destroy(error))
    call.on('error', reject)
    call.on('close', done)
    call.end()
  })
}

/** The same host is the same application, perhaps on another port; undefined for any other. */
function followed(target: Target, location: string): Target | undefined {
  const scheme = target.tls ? 'https' : 'http'
  const own = formatAddress({ host: target.at.host, port: target.port })
  const base = new URL(`${scheme}://${own}${target.path}`)
  const next = URL.parse(location, base)
  if (next === null || next.hostname !== base.hostname || !/^https?:$/.test(next.protocol)) return undefined
  const tls = next.protocol === 'https:'
  const port = next.port === '' ? (tls ? 443 : 80) : Number(next.port)
  return { ...target, tls, port, path: `${next.pathname}${next.search}` }
}

/** The status and the beginning of the body. Rejects when there is no reply, or not in time. */
export async function askHttp(
  at: ApplicationAddress,
  question: Question,
  timeoutMs: number,
): Promise<ProbeAnswer> {
  let target = targetOf(at, question)
  const endMs = performance.now() + timeoutMs
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const hop = await askOnce(target, Math.max(1, Math.ceil(endMs - performance.now())))
    if ('answer' in hop) return hop.answer
    const next = followed(target, hop.location)
    if (next === undefined) return { status: 200, body: 'redirected elsewhere\n' }
    target = next
  }
  throw new Error(`more than ${mostRedirects} redirects`)
}
