import { fetchText } from '../../cli/demo/sidecar-admin.ts'

/** Sum of a family's samples that have `labels`, in the Prometheus text format. Pure. */
export function sumOf(text: string, family: string, labels = ''): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${family}{`) && line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

/** The same, of a sidecar that is running. */
export async function readMetric(adminPort: number, family: string, labels = ''): Promise<number> {
  const { status, text } = await fetchText(adminPort, '/metrics')
  if (status !== 200) throw new Error(`/metrics on port ${adminPort} answered ${status}`)
  return sumOf(text, family, labels)
}
