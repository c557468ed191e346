/** Bad input: one clear line with a stable code each time, nothing lost, nothing ended. */
import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aggregatedDiscoveryService } from '../../api/xds/services.ts'
import { typeUrls } from '../../api/xds/type-urls.ts'
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '../../api/xds/types.ts'
import {
  removeFolder,
  servicesYaml,
  splitYaml,
  startTestControlPlane,
  type TestControlPlane,
} from '../support/running-control-plane.ts'

const main = path.join(import.meta.dirname, '../../cli/main.ts')

function weft(...args: readonly string[]): Promise<{ readonly status: number; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { timeout: 20_000 }, (error, _stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stderr })
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
    const { readFileSync } = await import('node:fs')
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
  test('every missing setting at once', async () => {
    const { status, stderr } = await weft('proxy')
    expect(status).toBe(2)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    for (const name of ['CONFIG_INVALID', '--control-plane', '--control-plane-ca', '--token-file'])
      expect(stderr).toContain(name)
  })

  test('a port in use', async () => {
    const blocker = net.createServer()
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve))
    const { port } = blocker.address() as net.AddressInfo
    const folder = mkdtempSync(path.join(tmpdir(), 'weft-bad-'))
    const { status, stderr } = await weft(
      'control-plane',
      '--config',
      folder,
      '--state',
      path.join(folder, 'state'),
      '--grpc-address',
      `127.0.0.1:${port}`,
      '--admin-address',
      '127.0.0.1:0',
    )
    blocker.close()
    removeFolder(folder)
    expect(status).toBe(1)
    expect(stderr).toContain('PORT_IN_USE')
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  test('a configuration folder that is not there', async () => {
    const { stderr } = await weft(
      'control-plane',
      '--config',
      '/nowhere/at/all',
      '--state',
      mkdtempSync(path.join(tmpdir(), 'weft-bad-')),
    )
    expect(stderr).toContain('FILE_UNREADABLE')
  })
})

test('a sidecar whose control plane is not there says so once, and goes on serving', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'weft-away-'))
  const roots = path.join(plane.folder, 'state', 'root-cert.pem')
  writeFileSync(path.join(folder, 'token'), 'a.b.c')
  const { spawn } = await import('node:child_process')
  const child = spawn(process.execPath, [
    main,
    'proxy',
    '--control-plane',
    '127.0.0.1:1',
    '--control-plane-ca',
    roots,
    '--token-file',
    path.join(folder, 'token'),
    '--outbound-address',
    '127.0.0.1:0',
    '--admin-address',
    '127.0.0.1:0',
    '--drain-delay',
    '0s',
  ])
  let output = ''
  child.stdout.on('data', (piece: Buffer) => {
    output += piece.toString()
  })
  await expect.poll(() => output, { timeout: 15_000 }).toContain('CONTROL_PLANE_UNREACHABLE')
  expect(child.exitCode).toBeNull()
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
  expect(child.exitCode).toBe(0)
  removeFolder(folder)
})
