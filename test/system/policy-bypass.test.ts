/** As test/integration/policy-bypass.test.ts, with nginx, whose own reading of paths it is. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { untilOpen } from '../../bench/process.ts'
import { freePorts } from '../../cli/demo/ports.ts'
import { guard, policies } from '../support/guarded-application.ts'
import { pathTricks, secret } from '../support/path-tricks.ts'
import { stopChild } from '../support/sidecar-process.ts'
import { describeWith } from './requirements.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'weft-bypass-'))
let port = 0
let http2Port = 0
let nginx: ReturnType<typeof spawn>

/** `/private` in any case, found the way nginx finds a location; the same over HTTP/2 in clear. */
function configuration(): string {
  const locations = `location ~* ^/private { return 200 ${secret}; } location / { return 200 fine; }`
  return `daemon off; master_process off; pid ${folder}/pid; error_log stderr crit; events {}
http {
  access_log off; keepalive_timeout 0; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { listen 127.0.0.1:${port}; ${locations} }
  server { listen 127.0.0.1:${http2Port} http2; ${locations} }
}
`
}

describeWith(['nginx'], 'nginx behind a policy', () => {
  beforeAll(async () => {
    ;[port = 0, http2Port = 0] = await freePorts(2)
    const file = path.join(folder, 'nginx.conf')
    writeFileSync(file, configuration())
    nginx = spawn('nginx', ['-e', 'stderr', '-p', folder, '-c', file], { stdio: 'inherit' })
    await Promise.all([untilOpen(port), untilOpen(http2Port)])
  })
  afterAll(async () => {
    await stopChild(nginx)
    rmSync(folder, { recursive: true, force: true })
  })

  async function served(at: number): Promise<readonly string[]> {
    const names: string[] = []
    for (const { name, send } of pathTricks('/public'))
      if ((await send(at)).includes(secret)) names.push(name)
    return names
  }

  test.each(Object.entries(policies))('%s is got around by no trick with a path', async (_, rules) => {
    for (const applicationPort of [port, http2Port]) {
      const guarded = await guard(applicationPort, rules)
      const through = await served(guarded.port)
      guarded.stop()
      expect(through).toEqual([])
    }
  })

  test('the tricks work where there is no policy', async () => {
    expect((await served(port)).length).toBeGreaterThan(30)
    expect((await served(http2Port)).length).toBeGreaterThan(2)
  })
})
