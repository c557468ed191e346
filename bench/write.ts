export function write(line: string): void {
  process.stdout.write(`${line}\n`)
}
