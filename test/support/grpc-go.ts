/** gRPC's interop client and server in Go; test/grpc-go/build builds them. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import path from 'node:path'

const binary = path.join(import.meta.dirname, '../../.cache/grpc-go/grpc-go')
const patienceMs = 60_000

export function grpcGoBinary(): string | undefined {
  return existsSync(binary) ? binary : undefined
}

export type GrpcGoServer = { readonly port: number; readonly stop: () => Promise<void> }

export async function startGrpcGoServer(): Promise<GrpcGoServer> {
  const server = spawn(binary, ['serve'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(server, 'exit')
  const [said] = (await once(server.stdout, 'data')) as [Buffer]
  return {
    port: Number(said),
    stop: async () => {
      server.kill()
      await ended
    },
  }
}

/** Calls `authority` by way of a local port. Returns the names of the cases that were kept, and at last what was wrong. */
export function callByGrpcGo(port: number, authority: string): Promise<readonly string[]> {
  return new Promise((resolve) =>
    execFile(binary, ['call', `127.0.0.1:${port}`, authority], { timeout: patienceMs }, (_, kept, wrong) =>
      resolve(`${kept}${wrong}`.trim().split('\n')),
    ),
  )
}
