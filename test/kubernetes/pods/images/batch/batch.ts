/**
 * A driver that hands out work, and executors that call it by its pod's address and are called back by theirs.
 *   node batch.ts driver --port=PORT        serves, waits for two executors, takes a block from each, ends
 *   node batch.ts executor --driver=HOST:PORT
 */
import http from 'node:http'
import { networkInterfaces } from 'node:os'

const [role, option = ''] = process.argv.slice(2)
const value = option.slice(option.indexOf('=') + 1)
const executors = 2
const blockPort = 7079

async function textOf(request: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

function drive(): void {
  const results: string[] = []
  const server = http.createServer((request, response) => {
    void (async () => {
      const address = await textOf(request)
      const block = await fetch(`http://${address}:${blockPort}/block`)
      results.push(`${await block.text()} of ${address}`)
      response.end('done')
      if (results.length < executors) return
      process.stdout.write(`${results.toSorted().join('\n')}\n`)
      server.close()
      server.closeIdleConnections()
      setTimeout(() => server.closeAllConnections(), 500)
    })().catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      response.writeHead(500).end()
    })
  })
  server.listen(Number(value))
}

async function execute(): Promise<void> {
  const address = networkInterfaces()['eth0']?.find(({ family }) => family === 'IPv4')?.address
  // On its own address alone, as Spark's do.
  const blocks = http.createServer((_request, response) => response.end('block')).listen(blockPort, address)
  const reply = await fetch(`http://${value}/register`, { method: 'POST', body: address ?? '' })
  process.stdout.write(`${await reply.text()}\n`)
  if (!reply.ok) process.exitCode = 1
  blocks.close()
  blocks.closeAllConnections()
}

if (role === 'driver') drive()
else await execute()
