/** What a system test needs of the machine: a missing part is a named skip on a laptop, and a failure in CI. */
import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'vitest'
import { envoyBinary } from '../support/envoy-process.ts'
import { fakeTimeLibrary } from '../support/fake-time.ts'
import { grpcGoBinary } from '../support/grpc-go.ts'
import { h2specBinary } from '../support/h2spec.ts'
import { zipkinJar } from '../support/zipkin-server.ts'
import { hasImage } from './image/image-process.ts'

function isInstalled(tool: string): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, tool), constants.X_OK)
      return true
    } catch {
      return false // Not in this folder.
    }
  })
}

function missing(tools: readonly string[]): readonly string[] {
  const root = process.getuid?.() === 0 ? [] : ['root']
  return [...root, ...tools.filter((tool) => !isInstalled(tool))]
}

/** `describe`, where root and all of the tools are there. */
export function describeWith(tools: readonly string[], name: string, body: () => void): void {
  describeUnless(missing(tools), name, body)
}

/** `describe`, where Envoy is installed as the bench does it (`npm run bench -- --install`). */
export function describeWithEnvoy(name: string, body: () => void): void {
  describeUnless(envoyBinary() === undefined ? ['Envoy (npm run bench -- --install)'] : [], name, body)
}

/** `describe`, where test/h2spec/build has built h2spec. */
export function describeWithH2spec(name: string, body: () => void): void {
  describeUnless(
    h2specBinary() === undefined ? ['h2spec (test/h2spec/build .cache/h2spec/h2spec)'] : [],
    name,
    body,
  )
}

/** `describe`, where test/grpc-go/build has built gRPC's interop cases in Go. */
export function describeWithGrpcGo(name: string, body: () => void): void {
  describeUnless(
    grpcGoBinary() === undefined ? ['grpc-go (test/grpc-go/build .cache/grpc-go/grpc-go)'] : [],
    name,
    body,
  )
}

/** `describe`, where Zipkin's jar is, as `.ci/run` fetches it, and Java. */
export function describeWithZipkin(name: string, body: () => void): void {
  const jar = zipkinJar() === undefined ? ['.cache/zipkin (.ci/run fetches it)'] : []
  describeUnless([...['java', 'setpriv'].filter((tool) => !isInstalled(tool)), ...jar], name, body)
}

/** `describe`, where test/system/image/build has built deploy/Dockerfile. */
export function describeWithImage(name: string, body: () => void): void {
  const lacking = missing(['unshare', 'ip', 'iptables-nft-save', 'iptables-legacy-save'])
  const image = hasImage() ? [] : ['the image (test/system/image/build .cache/image)']
  describeUnless([...lacking, ...image], name, body)
}

/** `describe`, where there is a browser; it needs no root. */
export function describeWithChromium(name: string, body: () => void): void {
  describeUnless(isInstalled('chromium') ? [] : ['chromium'], name, body)
}

/** `describe`, where Debian's libfaketime is; it needs no root. */
export function describeWithFakeTime(name: string, body: () => void): void {
  describeUnless(fakeTimeLibrary() === undefined ? ['faketime'] : [], name, body)
}

function describeUnless(lacking: readonly string[], name: string, body: () => void): void {
  if (lacking.length === 0) {
    describe(name, body)
    return
  }
  const reason = `${name}: needs ${lacking.join(', ')}`
  if (process.env['CI'] === 'true') {
    test(reason, () => {
      throw new Error(`${reason}, and CI has to have it`)
    })
    return
  }
  process.stderr.write(`skipped: ${reason}\n`)
  describe.skip(reason, body)
}
