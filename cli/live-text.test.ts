/** What stat, edges, top and tap print: every column, on a wide and on a narrow terminal, with and without colours. */
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { LiveEdge, LiveMesh, LiveSidecar, LiveWorkload, TappedExchange } from '../api/live.ts'
import { edgesOf, edgesText, topPicture } from './edges.ts'
import { statRows, statText } from './stat.ts'
import { missingWorkload, tapLine, tapPage } from './tap.ts'
import { parseSubject } from './workload-kinds.ts'

const file = { columns: undefined, colour: false }
const web: LiveWorkload = { namespace: 'shop', name: 'web', kind: 'Deployment' }
const catalog: LiveWorkload = { namespace: 'shop', name: 'catalog-v2', kind: 'Deployment' }
const port = (name: string, number = 8080) => ({ namespace: 'shop', name, port: number })
const none = { successRatio: null, p50Ms: null, p95Ms: null, p99Ms: null }
const calls: LiveEdge = {
  source: web,
  apex: port('catalog'),
  backend: port('catalog-v2'),
  requestsPerSecond: 12.34,
  successRatio: 0.91,
  p50Ms: 1.25,
  p95Ms: 9.99,
  p99Ms: 48.2,
  mtlsRatio: 1,
  openConnections: 3,
}
const database: LiveEdge = {
  ...calls,
  ...none,
  apex: port('db', 5432),
  backend: port('db', 5432),
  requestsPerSecond: 0,
  openConnections: 2,
}

function sidecar(workload: LiveWorkload, pod: string): LiveSidecar {
  return {
    workload,
    pod,
    identity: `spiffe://cluster.local/ns/shop/sa/${workload.name}`,
    version: '0.1.0',
    connectedAtMs: 0,
    certificateNotAfterMs: null,
  }
}

const { source: _source, apex: _apex, backend: _backend, openConnections: _open, ...figures } = calls
const mesh: LiveMesh = {
  atMs: 0,
  windowMs: 10_000,
  sidecars: [sidecar(web, 'web-1'), sidecar(catalog, 'catalog-v2-1'), sidecar(catalog, 'catalog-v2-2')],
  edges: [database, calls],
  inbound: [{ workload: catalog, port: 80, ...figures }],
}

const stat = (subject?: string, namespace?: string) => statRows(mesh, { subject, namespace })

describe('stat', () => {
  it('shows each workload, and - where nothing is received', () => {
    expect(statText(stat(), 'table', file)).toBe(
      `NAMESPACE  NAME               SIDECARS   RPS  SUCCESS    P50     P95   P99  MTLS
shop       deploy/catalog-v2         2  12.3   91.00%  1.3ms  10.0ms  48ms  100%
shop       deploy/web                1     -        -      -       -     -     -
`,
    )
  })

  it('shows what a service is asked for, whichever backend serves', () => {
    expect(statText(stat('svc/catalog'), 'table', file).split('\n')[1]).toMatch(
      /^shop +svc\/catalog:8080 +- +12\.3 /,
    )
  })

  it('is red where much fails, on a terminal alone', () => {
    expect(statText(stat('deploy/catalog-v2'), 'table', { columns: 80, colour: true })).toContain(
      '\u001b[31m91.00%\u001b[0m',
    )
  })

  it('gives programs the rows as they are', () => {
    expect(JSON.parse(statText(stat('deploy/web'), 'json', file))).toEqual([
      { namespace: 'shop', name: 'deploy/web', sidecars: 1 },
    ])
    expect(statText(stat('deploy/web'), 'yaml', file)).toBe(
      '- namespace: shop\n  name: deploy/web\n  sidecars: 1\n',
    )
  })

  it('says what is not known, and proposes a kind', () => {
    expect(() => stat('deploy/nobody')).toThrow(expect.objectContaining({ code: 'RESOURCE_UNKNOWN' }))
    expect(() => parseSubject('web')).toThrow("'web' is no kind; try deploy/web, or svc/web")
    expect(statText(stat(undefined, 'empty'), 'table', file, { namespace: 'empty' })).toBe(
      'No sidecar of namespace empty is connected.\n',
    )
  })
})

describe('edges', () => {
  it('shows the busiest first, and connections without requests by how many are open', () => {
    expect(edgesText(edgesOf(mesh, undefined), 'table', file)).toBe(
      `NAMESPACE  SOURCE      SERVICE            BACKEND                RPS  SUCCESS   P99  MTLS  OPEN
shop       deploy/web  catalog.shop:8080  catalog-v2.shop:8080  12.3   91.00%  48ms  100%     3
shop       deploy/web  db.shop:5432       db.shop:5432             -        -     -  100%     2
`,
    )
  })

  it('has all quantiles with -o wide', () => {
    expect(edgesText(edgesOf(mesh, 'shop'), 'wide', file)).toMatch(/ P50 +P95 +P99 /)
  })

  it('cuts names on a narrow terminal, and no figure', () => {
    const lines = edgesText(edgesOf(mesh, undefined), 'table', { columns: 76, colour: false }).split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(76)
    expect(lines[1]).toMatch(/… .*12\.3 +91\.00% +48ms +100% +3$/)
  })

  it('leaves out what can be spared on a narrower one', () => {
    const lines = edgesText(edgesOf(mesh, undefined), 'table', { columns: 60, colour: false }).split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60)
    expect(lines[0]).toMatch(/^SOURCE +SERVICE +BACKEND +RPS +SUCCESS +P99 +MTLS$/)
  })

  it('keeps who sends where, how much and how well on 40 columns', () => {
    const lines = edgesText(edgesOf(mesh, undefined), 'table', { columns: 40, colour: false }).split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40)
    expect(lines[0]).toMatch(/^SOURCE +BACKEND +RPS +SUCCESS +P99$/)
    const stats = statText(stat(), 'table', { columns: 40, colour: false }).split('\n')
    expect(Math.max(...stats.map((line) => line.length))).toBeLessThanOrEqual(40)
    expect(stats[0]).toMatch(/^NAMESPACE +NAME +RPS +SUCCESS +P99$/)
  })

  it('says so where nothing moves', () => {
    expect(edgesText([], 'table', file)).toBe('Nothing moves in the mesh.\n')
    expect(edgesText([], 'json', file)).toBe('[]\n')
  })
})

describe('top', () => {
  it('paints over what it painted, no more lines than there are, none wider than there is room', () => {
    const picture = topPicture(mesh, undefined, { columns: 80, rows: 5, colour: false })
    expect(picture.startsWith('\u001b[H') && picture.endsWith('\u001b[J')).toBe(true)
    const lines = stripVTControlCharacters(picture).split('\n')
    expect(lines[0]).toBe('3 sidecars, 2 edges, 12.3 requests/s over the last 10 s   Ctrl-C ends it')
    expect(lines).toHaveLength(4)
    const old = topPicture(
      mesh,
      undefined,
      { columns: 80, rows: 24, colour: false },
      'The figures are old: away',
    )
    expect(old).toContain('The figures are old: away')
  })
})

describe('tap', () => {
  const exchange: TappedExchange = {
    atMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    source: web,
    sourcePod: 'web-1',
    direction: 'outbound',
    destination: 'catalog.shop:8080',
    endpoint: '10.0.0.7:8080',
    peer: 'spiffe://cluster.local/ns/shop/sa/catalog',
    tls: true,
    method: 'GET',
    authority: 'catalog:8080',
    path: '/items\u001b[2J',
    status: 503,
    grpcStatus: null,
    failed: true,
    durationMs: 12.3,
    requestBytes: 0,
    replyBytes: 5,
    flags: 'UH',
    traceId: null,
  }
  const line =
    '03:04:05.678 out shop/deploy/web GET catalog:8080/items?[2J 503 12ms mtls spiffe://cluster.local/ns/shop/sa/catalog UH'

  it('is a line for each exchange; what a peer wrote cannot move the cursor', () => {
    expect(tapLine(exchange, file)).toBe(`${line}\n`)
    expect(tapLine(exchange, { columns: 40, colour: true })).toBe(`\u001b[31m${line.slice(0, 40)}\u001b[0m\n`)
  })

  it('has the status of a call beside that of its reply, and is red by that', () => {
    const call = { ...exchange, status: 200, grpcStatus: 'UNAVAILABLE' } as const
    expect(tapLine(call, file)).toContain(' 200 grpc=UNAVAILABLE 12ms ')
    expect(tapLine(call, { columns: 40, colour: true }).startsWith('\u001b[31m')).toBe(true)
  })

  it('tells what was left out, and by whom', () => {
    expect(tapLine({ dropped: 7, by: 'viewer' }, file)).toBe('... 7 more, above what --max-rps allows\n')
  })

  it('says when nobody is connected who could look', () => {
    expect(missingWorkload(mesh, undefined, undefined)).toBeUndefined()
    expect(missingWorkload(mesh, 'web', 'shop')).toBeUndefined()
    expect(missingWorkload(mesh, 'deploy/wbe', 'shop')).toBe(
      'No deploy/wbe with a sidecar in namespace shop is connected now; waiting for one.',
    )
    expect(missingWorkload(mesh, 'sts/web', undefined)).toContain('No sts/web')
    expect(missingWorkload(mesh, undefined, 'empty')).toContain('in namespace empty')
  })

  it('refuses what is no workload', () => {
    expect(() => tapPage('svc/catalog', {})).toThrow("'svc/catalog' is no workload")
    expect(() => tapPage('bogus/catalog', {})).toThrow("'bogus' is no kind")
    expect(() => tapPage('web', { maxRps: 'x' })).toThrow("--max-rps: 'x' is not a number")
    expect(tapPage('ds/agent', {})).toBe('/live/tap?workload=daemonset%2Fagent')
  })

  it('asks for what the options say', () => {
    const page = tapPage('deploy/web', { namespace: 'shop', status: '5xx', minLatency: '5', maxRps: '10' })
    expect(page).toBe('/live/tap?workload=deployment%2Fweb&namespace=shop&status=5xx&minMs=5&maxPerSecond=10')
  })
})
