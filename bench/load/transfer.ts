/** One large body on one stream, by curl: what a connection carries. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Protocol } from '../peer.ts'
import { authority } from './request.ts'

export type Transfer = {
  readonly port: number
  readonly protocol: Protocol
  readonly direction: 'download' | 'upload'
  readonly bytes: number
}

export type TransferResult = { readonly bytes: number; readonly seconds: number }

const written = '%{http_code} %{size_download} %{size_upload} %{time_total}'

/** `file` is what an upload sends. */
export function curlArguments({ port, protocol, direction, bytes }: Transfer, file: string): string[] {
  const target = direction === 'download' ? '/transfer' : '/upload'
  const version = protocol === 'http2' ? '--http2-prior-knowledge' : '--http1.1'
  const sent = direction === 'upload' ? ['--upload-file', file] : ['--range', `0-${bytes - 1}`]
  // An empty Expect: nobody is to wait before the body.
  const fields = ['--header', `Host: ${authority}`, '--header', 'Expect:']
  const read = ['--output', '/dev/null', '--write-out', written]
  return [
    '--silent',
    '--show-error',
    version,
    ...fields,
    ...read,
    ...sent,
    `http://127.0.0.1:${port}${target}`,
  ]
}

/** Reads what curl wrote. Throws when not all of it was carried. */
export function parseCurl(output: string, { direction, bytes }: Transfer): TransferResult {
  const [status, downloaded, uploaded, seconds] = output.split(' ').map(Number)
  const carried = direction === 'download' ? downloaded : uploaded
  if (status !== (direction === 'download' ? 206 : 200) || carried !== bytes || seconds === undefined)
    throw new Error(`a ${direction} of ${bytes} bytes ended with: ${output}`)
  return { bytes, seconds }
}

/** Rejects when it breaks off. */
export async function runTransfer(transfer: Transfer): Promise<TransferResult> {
  const folder = mkdtempSync(path.join(tmpdir(), 'weft-transfer-'))
  // Of nothing but zeros, so that it takes no disk.
  const file = path.join(folder, 'body')
  writeFileSync(file, '')
  truncateSync(file, transfer.direction === 'upload' ? transfer.bytes : 0)
  try {
    return await new Promise((resolve, reject) => {
      const args = ['--pdeathsig', 'KILL', 'curl', ...curlArguments(transfer, file)]
      execFile('setpriv', args, (error, stdout, stderr) => {
        if (error === null) resolve(parseCurl(stdout, transfer))
        else reject(new Error(`curl: ${stderr.trim()}`))
      })
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}
