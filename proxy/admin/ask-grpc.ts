/** A gRPC probe: `grpc.health.v1.Health/Check`, in clear. */
import { connect, type ClientHttp2Session } from 'node:http2'
import { createConnection } from 'node:net'
import { formatAddress } from '../../core/address.ts'
import { type ApplicationAddress, localAddressOf } from '../application-addresses.ts'
import { deadline, type ProbeAnswer } from './probe-answer.ts'

const serving = 1
const largestReplyBytes = 1024

/** HealthCheckRequest{service = 1}, behind the five bytes of a gRPC message. */
function requestBytes(service: string): Buffer {
  const name = Buffer.from(service)
  if (name.length > 127) throw new Error('the name of the service is longer than 127 bytes')
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name])
  return Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message])
}

/** HealthCheckResponse{status = 1}; a status of zero is not written at all. */
function statusOf(reply: Buffer): number | undefined {
  if (reply.length < 5 || reply[0] !== 0 || reply.length !== 5 + reply.readUInt32BE(1)) return undefined
  if (reply.length === 5) return 0
  return reply.length === 7 && reply[5] === 0x08 ? reply[6] : undefined
}

function check(session: ClientHttp2Session, service: string): Promise<ProbeAnswer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'kube-probe/weft',
    })
    let reply = Buffer.alloc(0)
    let grpcStatus: unknown
    const onHeaders = (headers: Readonly<Record<string, unknown>>): void => {
      grpcStatus = headers['grpc-status'] ?? grpcStatus
    }
    stream.on('response', onHeaders)
    stream.on('trailers', onHeaders)
    stream.on('data', (piece: Buffer) => {
      reply = Buffer.concat([reply, piece])
      if (reply.length > largestReplyBytes) stream.destroy(new Error('the reply is no health status'))
    })
    stream.on('error', reject)
    stream.on('end', () => {
      const status = statusOf(reply)
      const isWell = grpcStatus === '0' && status === serving
      const text = `grpc-status ${String(grpcStatus)}, health status ${status ?? 'none'}\n`
      resolve({ status: isWell ? 200 : 503, body: text })
    })
    stream.on('close', () => reject(new Error('the stream was closed')))
    stream.end(requestBytes(service))
  })
}

/** 200 if the service says SERVING, 503 if anything else. Rejects when there is no reply, or not in time. */
export function askGrpc(
  at: ApplicationAddress,
  port: number,
  service: string,
  timeoutMs: number,
): Promise<ProbeAnswer> {
  return new Promise((resolve, reject) => {
    const { host } = at
    const session = connect(`http://${formatAddress({ host, port })}`, {
      createConnection: () => createConnection({ host, port, ...localAddressOf(at) }),
    })
    const done = deadline(timeoutMs, (error) => session.destroy(error))
    session.on('error', reject)
    session.on('close', () => {
      done()
      reject(new Error('the connection was closed'))
    })
    check(session, service)
      .then(resolve, reject)
      .finally(() => session.destroy())
  })
}
