/** Bad input: one clear line with a stable code each time, nothing lost, nothing ended. */
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { aggregatedDiscoveryService } from '../../api/xds/services.ts'
import { typeUrls } from '../../api/xds/type-urls.ts'
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '../../api/xds/types.ts'
import { createWorkloadToken } from '../../cli/token.ts'
import { StateFolder } from '../../control-plane/ca/state-folder.ts'
import { openTokenKey } from '../../control-plane/ca/token-key.ts'
import { createToken } from '../../control-plane/ca/token.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { ManualClock } from '../../core/manual-clock.ts'
import { TestRoot } from '../../proxy/identity/test-pki.ts'
import { startMeshPair } from '../support/mesh-pair.ts'
import { exchangeRaw, startRawServer } from '../support/raw-tcp.ts'
import {
  removeFolder,
  servicesYaml,
  splitYaml,
  startTestControlPlane,
  type TestControlPlane,
} from '../support/running-control-plane.ts'

const main = path.join(import.meta.dirname, '../../cli/main.ts')

/** Runs the CLI to its end; `output` is all that it says, wherever. */
function weft(...args: readonly string[]): Promise<{ readonly status: number; readonly output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), output: stdout + stderr })
    })
  })
}

let plane: TestControlPlane

beforeAll(async () => {
  plane = await startTestControlPlane({
    'mesh.yaml': servicesYaml({ catalog: [1], 'catalog-v1': [1], 'catalog-v2': [2] }),
    'split.yaml': splitYaml({ 'catalog-v1': 90, 'catalog-v2': 10 }),
  })
})

afterAll(async () => {
  await plane.stop()
  removeFolder(plane.folder)
})

/** Asks for the routes of the apex and calls back with every response. */
function subscribe(
  onResponse: (
    response: DeltaDiscoveryResponse,
    stream: grpc.ClientDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>,
  ) => void,
) {
  const client = new grpc.Client(
    `127.0.0.1:${plane.running.insecureXdsPort}`,
    grpc.credentials.createInsecure(),
  )
  const {
    path: method,
    requestSerialize,
    responseDeserialize,
  } = aggregatedDiscoveryService.DeltaAggregatedResources
  const stream = client.makeBidiStreamRequest(method, requestSerialize, responseDeserialize)
  stream.on('error', () => undefined)
  stream.on('data', (response: DeltaDiscoveryResponse) => onResponse(response, stream))
  stream.write({
    node: { id: 'test', userAgentName: 'gRPC test' },
    typeUrl: typeUrls.routeConfiguration,
    resourceNamesSubscribe: ['catalog.shop.svc.cluster.local:8080'],
  })
  return () => {
    stream.cancel()
    client.close()
  }
}

describe('a running control plane', () => {
  test('keeps the last good content of a file that breaks, names file and line, and says when it is good again', async () => {
    const versions: string[] = []
    const stop = subscribe((response) =>
      versions.push(...(response.resources ?? []).map((resource) => resource.version ?? '')),
    )
    await expect.poll(() => versions.length).toBe(1)
    plane.write('split.yaml', 'kind: [\n')
    await expect
      .poll(() =>
        plane.logLines.some((line) => line.includes('YAML_INVALID') && line.includes('split.yaml:')),
      )
      .toBe(true)
    plane.write('split.yaml', splitYaml({ 'catalog-v1': -1 }))
    await expect
      .poll(() =>
        plane.logLines.some(
          (line) => line.includes('RESOURCE_INVALID') && line.includes('spec.backends[0].weight'),
        ),
      )
      .toBe(true)
    expect(versions).toHaveLength(1)
    plane.write('split.yaml', splitYaml({ 'catalog-v1': 10, 'catalog-v2': 90 }))
    await expect.poll(() => versions.length).toBe(2)
    expect(plane.logLines.some((line) => line.includes('is good again'))).toBe(true)
    stop()
  })

  test('leaves an unknown backend out, with its code and its name', async () => {
    plane.write('split.yaml', splitYaml({ 'catalog-v1': 1, ghost: 1 }))
    await expect
      .poll(() => plane.logLines.some((line) => line.includes('BACKEND_UNKNOWN') && line.includes('ghost')))
      .toBe(true)
  })

  test('takes a NACK for what it is: logged with its code and reason, and not sent again', async () => {
    let responses = 0
    const stop = subscribe((response, stream) => {
      responses++
      stream.write({
        typeUrl: response.typeUrl,
        responseNonce: response.nonce,
        errorDetail: { code: 3, message: 'routes[0]: not for me' },
      })
    })
    await expect
      .poll(() =>
        plane.logLines.some((line) => line.includes('RESOURCE_REJECTED') && line.includes('not for me')),
      )
      .toBe(true)
    expect(responses).toBe(1)
    stop()
  })

  test('refuses a wrong token with UNAUTHENTICATED, tells the client no reason, and logs its own', async () => {
    const roots = readFileSync(path.join(plane.folder, 'state', 'root-cert.pem'))
    const client = new grpc.Client(`localhost:${plane.running.grpcPort}`, grpc.credentials.createSsl(roots))
    const metadata = new grpc.Metadata()
    metadata.set('authorization', 'Bearer not.a.token')
    const {
      path: method,
      requestSerialize,
      responseDeserialize,
    } = aggregatedDiscoveryService.DeltaAggregatedResources
    const error = await new Promise<grpc.ServiceError>((resolve) => {
      const stream = client.makeBidiStreamRequest(method, requestSerialize, responseDeserialize, metadata)
      stream.on('error', (refused: grpc.ServiceError) => resolve(refused))
      stream.on('data', () => undefined)
    })
    client.close()
    expect(error.code).toBe(grpc.status.UNAUTHENTICATED)
    expect(error.details).toBe('authentication failed')
    expect(plane.logLines.some((line) => line.includes('TOKEN_'))).toBe(true)
  })
})

describe('a process that cannot start says why in one line', () => {
  /** An address that is taken, for the time of a test. */
  async function takenAddress(): Promise<string> {
    const blocker = net.createServer()
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void blocker.close())
    return `127.0.0.1:${(blocker.address() as net.AddressInfo).port}`
  }
  const controlPlane = (folder: string): string[] => [
    'control-plane',
    `--config=${folder}`,
    `--state=${path.join(folder, 'state')}`,
    '--log-level=warn',
    '--grpc-address=127.0.0.1:0',
    '--admin-address=127.0.0.1:0',
  ]
  const sidecar = (folder: string): string[] => [
    'proxy',
    '--log-level=warn',
    '--control-plane=127.0.0.1:1',
    `--control-plane-ca=${path.join(plane.folder, 'state', 'root-cert.pem')}`,
    `--token-file=${path.join(folder, 'token')}`,
    '--outbound-address=127.0.0.1:0',
    '--admin-address=127.0.0.1:0',
  ]
  const withSetting = (args: readonly string[], flag: string, value: string): string[] => [
    ...args.filter((arg) => !arg.startsWith(`${flag}=`)),
    `${flag}=${value}`,
  ]

  const cases: readonly [
    string,
    number,
    readonly string[],
    (folder: string) => Promise<string[]> | string[],
  ][] = [
    [
      'every setting that is missing',
      2,
      ['CONFIG_INVALID', '--control-plane ', '--control-plane-ca ', '--token-file '],
      () => ['proxy'],
    ],
    [
      'every setting that is wrong',
      2,
      ['CONFIG_INVALID', '--nonsense', '"maybe"', '"12"'],
      (folder) => [...sidecar(folder), '--nonsense', '--outbound-policy=maybe', '--drain-delay=12'],
    ],
    [
      'what is missing beside what is wrong',
      2,
      ['CONFIG_INVALID', '--control-plane ', '--token-file ', '--nonsense', '"12"'],
      () => ['proxy', '--nonsense', '--drain-delay=12'],
    ],
    [
      'an address for clear text that others can reach, beside what is wrong, before anything is made',
      2,
      ['CONFIG_INVALID', '--insecure-xds-address: 0.0.0.0:1 ', '--nonsense'],
      (folder) => [...controlPlane(folder), '--insecure-xds-address=0.0.0.0:1', '--nonsense'],
    ],
    [
      'names and name servers that are none',
      2,
      ['CONFIG_INVALID', '--namespace: "a b"', '--pod: "A"', '--trust-domain: "x/y"', '--dns-servers: "zz"'],
      (folder) => [
        ...sidecar(folder),
        '--namespace=a b',
        '--pod=A',
        '--trust-domain=x/y',
        '--dns-servers=127.0.0.1,[::1]:53,zz',
      ],
    ],
    [
      'a bootstrap file whose aliases lead nowhere',
      2,
      ['BOOTSTRAP_INVALID', 'Unresolved alias', 'who'],
      (folder) => {
        writeFileSync(path.join(folder, 'token'), 'node: *who\n')
        return ['proxy', `--bootstrap=${path.join(folder, 'token')}`]
      },
    ],
    ['an unknown command', 2, ['CONFIG_INVALID', "'prixy'"], () => ['prixy']],
    [
      'the gRPC port of a control plane in use',
      1,
      ['PORT_IN_USE'],
      async (folder) => withSetting(controlPlane(folder), '--grpc-address', await takenAddress()),
    ],
    [
      'the admin port of a control plane in use',
      1,
      ['PORT_IN_USE', 'admin'],
      async (folder) => withSetting(controlPlane(folder), '--admin-address', await takenAddress()),
    ],
    [
      'the outbound port of a sidecar in use',
      1,
      ['PORT_IN_USE'],
      async (folder) => withSetting(sidecar(folder), '--outbound-address', await takenAddress()),
    ],
    [
      'the admin port of a sidecar in use',
      1,
      ['PORT_IN_USE', 'admin'],
      async (folder) => withSetting(sidecar(folder), '--admin-address', await takenAddress()),
    ],
    [
      "an address that is not this machine's",
      1,
      ['LISTEN_FAILED', '192.0.2.1:1'],
      (folder) => withSetting(sidecar(folder), '--outbound-address', '192.0.2.1:1'),
    ],
    [
      'a configuration folder that is not there',
      1,
      ['FILE_UNREADABLE', 'nowhere'],
      (folder) => withSetting(controlPlane(folder), '--config', path.join(folder, 'nowhere')),
    ],
    [
      'a state folder of a control plane that is a file',
      1,
      ['STATE_FOLDER_UNUSABLE', 'token'],
      (folder) => withSetting(controlPlane(folder), '--state', path.join(folder, 'token')),
    ],
    [
      'a state folder of a sidecar that is a file',
      1,
      ['STATE_FOLDER_UNUSABLE', 'token'],
      (folder) => withSetting(sidecar(folder), '--state', path.join(folder, 'token')),
    ],
    [
      'a root key that others can read',
      1,
      ['STATE_FILE_EXPOSED', 'root-key.pem'],
      (folder) => {
        mkdirSync(path.join(folder, 'state'))
        writeFileSync(path.join(folder, 'state', 'root-key.pem'), 'key', { mode: 0o644 })
        return controlPlane(folder)
      },
    ],
    [
      'a root key that is damaged',
      1,
      ['STATE_FILE_INVALID', 'root-key.pem'],
      (folder) => {
        mkdirSync(path.join(folder, 'state'))
        writeFileSync(path.join(folder, 'state', 'root-key.pem'), 'key', { mode: 0o600 })
        return controlPlane(folder)
      },
    ],
    [
      'roots that are none',
      1,
      ['CERTIFICATE_INVALID', 'token'],
      (folder) => withSetting(sidecar(folder), '--control-plane-ca', path.join(folder, 'token')),
    ],
    [
      'a bootstrap file that is no YAML, by line',
      2,
      ['BOOTSTRAP_INVALID', 'token:2:1'],
      (folder) => {
        writeFileSync(path.join(folder, 'token'), 'static_resources: [\n')
        return ['proxy', `--bootstrap=${path.join(folder, 'token')}`]
      },
    ],
  ]

  test.each(cases)('%s', async (_what, expectedStatus, words, argsIn) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'weft-bad-'))
    onTestFinished(() => removeFolder(folder))
    writeFileSync(path.join(folder, 'token'), 'a.b.c')
    const { status, output } = await weft(...(await argsIn(folder)))
    expect(output.trim().split('\n')).toHaveLength(1)
    for (const word of words) expect(output).toContain(word)
    expect(status).toBe(expectedStatus)
  })
})

describe('a sidecar that cannot get at its control plane says why once, goes on, and ends politely', () => {
  type Setup = { readonly controlPlane: string; readonly caFile: string; readonly token: string | undefined }
  const here = (): Setup => ({
    controlPlane: `127.0.0.1:${plane.running.grpcPort}`,
    caFile: path.join(plane.folder, 'state', 'root-cert.pem'),
    token: 'a.b.c',
  })
  const tokenOf = (ttlMs: number, clock: Clock = systemClock): string => {
    const { privateKey } = openTokenKey(new StateFolder(path.join(plane.folder, 'state')))
    return createToken({ privateKey, identity: { namespace: 'shop', serviceAccount: 'web' }, ttlMs, clock })
  }

  const cases: readonly [string, string, () => Promise<Setup> | Setup, string | undefined][] = [
    [
      'because it is not there',
      'CONTROL_PLANE_UNREACHABLE',
      () => ({ ...here(), controlPlane: '127.0.0.1:1' }),
      undefined,
    ],
    ['because its token is none', 'CONTROL_PLANE_REFUSED', here, 'TOKEN_MALFORMED'],
    [
      'because its token has expired',
      'CONTROL_PLANE_REFUSED',
      () => ({ ...here(), token: tokenOf(1000, new ManualClock(Date.UTC(2020, 0, 1))) }),
      'TOKEN_EXPIRED',
    ],
    [
      'because its token is of another control plane',
      'CONTROL_PLANE_REFUSED',
      () => {
        const folder = mkdtempSync(path.join(tmpdir(), 'weft-other-'))
        onTestFinished(() => removeFolder(folder))
        return {
          ...here(),
          token: createWorkloadToken({
            state: folder,
            namespace: 'shop',
            serviceAccount: 'web',
            ttl: '1h',
          }),
        }
      },
      'TOKEN_SIGNATURE_INVALID',
    ],
    [
      'because there is no token',
      'TOKEN_FILE_UNREADABLE',
      () => ({ ...here(), token: undefined }),
      undefined,
    ],
    [
      'because the control plane is another one',
      'CONTROL_PLANE_UNTRUSTED',
      async () => {
        const caFile = path.join(plane.folder, 'other-root.pem')
        writeFileSync(caFile, (await TestRoot.make()).pem)
        return { ...here(), caFile, token: tokenOf(3_600_000) }
      },
      undefined,
    ],
  ]

  test.each(cases)('%s: %s', async (_why, code, make, toldThere) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'weft-away-'))
    onTestFinished(() => removeFolder(folder))
    const { controlPlane, caFile, token } = await make()
    const tokenFile = path.join(folder, 'token')
    if (token !== undefined) writeFileSync(tokenFile, token)
    const toldBefore = plane.logLines.length
    const child = spawn(process.execPath, [
      main,
      'proxy',
      `--control-plane=${controlPlane}`,
      `--control-plane-ca=${caFile}`,
      `--token-file=${tokenFile}`,
      '--namespace=shop',
      '--service-account=web',
      '--outbound-address=127.0.0.1:0',
      '--admin-address=127.0.0.1:0',
      '--log-level=debug',
      '--drain-delay=0s',
    ])
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece: Buffer) => {
        output += piece.toString()
      })
    const told = (level: string) =>
      output
        .split('\n')
        .filter((line) => line.includes(`"level":"${level}"`))
        .map((line) => JSON.parse(line) as { code?: string })
    // Both who enrol and who ask for configuration have tried, and tried again.
    await expect
      .poll(() => told('debug').filter((line) => line.code === code).length, { timeout: 15_000 })
      .toBeGreaterThan(2)
    expect(told('warn')).toEqual([expect.objectContaining({ code, reason: expect.stringMatching(/./) })])
    expect(told('error')).toEqual([])
    if (toldThere !== undefined)
      for (const line of plane.logLines.slice(toldBefore).filter((text) => text.includes('"level":"warn"')))
        expect(JSON.parse(line)).toMatchObject({ code: toldThere })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
    expect(child.exitCode).toBe(0)
  })
})

describe('an expired certificate', () => {
  const expired = { notBeforeMs: Date.now() - 7_200_000, notAfterMs: Date.now() - 3_600_000 }
  async function answerThrough(
    leaves: Parameters<typeof startMeshPair>[1],
  ): Promise<{ readonly text: string; readonly refused: readonly string[] }> {
    const application = await startRawServer((_text, socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    )
    const pair = await startMeshPair(application.port, leaves)
    onTestFinished(async () => {
      pair.stop()
      await application.stop()
    })
    const { text } = await exchangeRaw(pair.port, [
      'GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n',
    ])
    expect(application.received.length).toBe(text.includes('200 OK') ? 1 : 0)
    return { text, refused: pair.refused }
  }

  test('of an endpoint: 503 with its code, and the application sees nothing', async () => {
    const { text } = await answerThrough({ app: expired })
    expect(text).toMatch(/^HTTP\/1\.1 503 /)
    expect(text).toMatch(/^CERTIFICATE_EXPIRED: 127\.0\.0\.1:\d+: CERT_HAS_EXPIRED\n$/m)
  })

  test('of a client: refused by the other side with its code, and the application sees nothing', async () => {
    const { text, refused } = await answerThrough({ web: expired })
    expect(text).toMatch(/^HTTP\/1\.1 50[23] /)
    expect(new Set(refused)).toEqual(new Set(['CERTIFICATE_EXPIRED']))
  })

  test('of nobody: the request passes', async () => {
    const { text, refused } = await answerThrough({})
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/)
    expect(refused).toEqual([])
  })
})
