import { describe, expect, it } from 'vitest'
import { readControlPlaneSettings } from './settings.ts'

const read = (...args: string[]) => readControlPlaneSettings({ args, env: {} })

describe('where the mesh is read from', () => {
  it.each([
    [['--config=c', '--state=s'], { kubernetes: false, config: 'c', state: 's' }],
    [['--kubernetes'], { kubernetes: true, state: undefined }],
    [['--kubernetes', '--state=s'], { kubernetes: true, state: 's' }],
  ])('is a folder or a cluster: %j', (args, source) => {
    expect(read(...args)).toMatchObject(source)
  })

  it.each([
    [['--kubernetes', '--config=c'], 1],
    [[], 2],
    [['--config=c'], 1],
  ])('is said once: %j', (args, problems) => {
    expect(() => read(...args)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        detail: expect.toSatisfy((d: string[]) => d.length === problems) as unknown,
      }),
    )
  })
})
