/** Colours of a terminal, and whether there is one that wants them. */

export type Colour = 'red' | 'yellow' | 'green' | 'dim' | 'bold'

const codes: Readonly<Record<Colour, number>> = { red: 31, yellow: 33, green: 32, dim: 2, bold: 1 }

export function paint(text: string, colour: Colour | undefined): string {
  return colour === undefined ? text : `\x1b[${codes[colour]}m${text}\x1b[0m`
}

/** Whether `stream` shows colours: a terminal, unless NO_COLOR (https://no-color.org) or a dumb one says otherwise. */
export function showsColour(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
}
