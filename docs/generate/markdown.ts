/** The little of Markdown that the reference pages need. */

/** What would end a table's cell is escaped. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ')
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

/** A generated page: its title, a paragraph, and the rest. */
export function page(title: string, introduction: string, ...parts: readonly string[]): string {
  const note = '<!-- Made from the code by `npm run build:docs`; `npm test` fails when it is out of date. -->'
  return `${[`# ${title}`, note, introduction, ...parts].join('\n\n')}\n`
}
