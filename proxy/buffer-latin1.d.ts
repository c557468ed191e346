/** Node's direct latin1 decoder: public for ages, in no type package; `toString('latin1')` goes there by a detour. */
declare namespace NodeJS {
  interface BufferLatin1 {
    latin1Slice(start?: number, end?: number): string
  }
}

interface Buffer extends NodeJS.BufferLatin1 {}
