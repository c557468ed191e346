/** Serves the dashboard's page from memory, under /dashboard/ of the admin server; it only ever asks for what others may read there too. */
import type { AdminReply, AdminServer } from '../../core/admin-server.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { buildFromSource, builtPage, type PageFile } from './page-files.ts'

const contentTypes: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

/** Nothing from anywhere else, nothing written into the HTML, and in nobody's frame. */
const securityHeaders = {
  'content-security-policy':
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  'referrer-policy': 'no-referrer',
}

function reply({ path, text }: PageFile): AdminReply {
  const extension = path.slice(path.lastIndexOf('.') + 1)
  // The names of all but the page itself change with what is in them.
  const caching = extension === 'html' ? 'no-cache' : 'public, max-age=31536000, immutable'
  return {
    contentType: contentTypes[extension] ?? 'application/octet-stream',
    headers: { ...securityHeaders, 'cache-control': caching },
    body: text,
  }
}

/** Adds the pages. In a source tree the first request waits for the build, whose failure is its answer (503). */
export function addDashboard(admin: AdminServer, log: Log): void {
  let building: Promise<AdminReply> | undefined
  const add = (files: readonly PageFile[]): AdminReply => {
    for (const file of files) admin.page('GET', `/dashboard/${file.path}`, () => reply(file))
    const index = reply(files.find(({ path }) => path === 'index.html') ?? { path: 'index.html', text: '' })
    admin.page('GET', '/dashboard/', () => index)
    return index
  }
  const build = async (): Promise<AdminReply> => {
    try {
      return add(await buildFromSource())
    } catch (error) {
      building = undefined
      log.warn({ code: 'DASHBOARD_UNBUILT', error }, 'the dashboard could not be built')
      return { status: 503, body: `the dashboard could not be built: ${reasonOf(error)}\n` }
    }
  }
  admin.page('GET', '/dashboard', () => ({ status: 308, headers: { location: '/dashboard/' }, body: '' }))
  admin.page('GET', '/dashboard/', () => (building ??= build()))
  const built = builtPage()
  if (built !== undefined) add(built)
}
