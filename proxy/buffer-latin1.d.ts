/** Node's direct codecs: public for ages, in no type package; `toString` and `write` go there by a detour. */
declare namespace NodeJS {
  interface BufferLatin1 {
    latin1Slice(start?: number, end?: number): string
    latin1Write(text: string, offset: number): number
    utf8Slice(start: number, end: number): string
    utf8Write(text: string, offset: number): number
    latin1Write(text: string, offset: number): number
  }
}

interface Buffer extends NodeJS.BufferLatin1 {}
