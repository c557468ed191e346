/** h2spec, a Go program that tries what RFC 9113 says of servers; test/h2spec/build builds it. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const binary = path.join(import.meta.dirname, '../../.cache/h2spec/h2spec')
/** For an answer; only a case that fails takes that long. */
const timeoutSeconds = 10

export function h2specBinary(): string | undefined {
  return existsSync(binary) ? binary : undefined
}

export type H2specReport = {
  /** `http2/6.9.1/2`, as h2spec is told to run it alone. */
  readonly cases: readonly string[]
  /** By the same names: what each is about, which answers would do, and last the one that came. */
  readonly failed: ReadonlyMap<string, string>
}

/** Reads its JUnit report: cases stand in the order of their numbers, in a suite for each section. */
export function parseH2specReport(xml: string): H2specReport {
  const cases: string[] = []
  const failed = new Map<string, string>()
  const numbers = new Map<string, number>()
  for (const [, section = '', title = '', inner = ''] of xml.matchAll(
    /<testcase package="([^"]+)" classname="([^"]*)"[^>]*>(.*?)<\/testcase>/gs,
  )) {
    const number = (numbers.get(section) ?? 0) + 1
    numbers.set(section, number)
    const name = `${section}/${number}`
    cases.push(name)
    if (/<(?:failure|error|skipped)/.test(inner)) failed.set(name, `${title}: ${textOf(inner)}`)
  }
  return { cases, failed }
}

/** Without its marks, on one line. */
function textOf(xml: string): string {
  return xml
    .replaceAll(/<[^>]*>/g, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' | ')
}

/** Runs every case against a port of 127.0.0.1. What failed or was skipped is `failed`. */
export async function runH2spec(port: number, transport: 'clear' | 'tls'): Promise<H2specReport> {
  const folder = mkdtempSync(path.join(tmpdir(), 'weft-h2spec-'))
  const report = path.join(folder, 'report.xml')
  const args = ['-h', '127.0.0.1', '-p', String(port), '-o', String(timeoutSeconds), '-S', '-j', report]
  // Whose certificate is not what this is about.
  if (transport === 'tls') args.push('-t', '-k')
  try {
    // It ends with 1 where a case failed: the report says which.
    await new Promise((resolve) => execFile(binary, args, { maxBuffer: 16 * 1024 * 1024 }, resolve))
    return parseH2specReport(readFileSync(report, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
