/**
 * An application that answers with what it was sent, on all addresses or one.
 *   node echo-application.ts NAME PORT [HOST]
 */
import http from 'node:http'
import { exitWithParent } from '../../core/exit-with-parent.ts'

const [name = 'echo', port = '0', host = '::'] = process.argv.slice(2)
exitWithParent(process.env)
http
  .createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (piece: string) => {
      body += piece
    })
    request.on('end', () => {
      const { method, url, headers } = request
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ name, method, url, headers, body }))
    })
  })
  .listen(Number(port), host, () => process.stdout.write('listening\n'))
