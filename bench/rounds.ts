/** Repeats a measurement of several subjects so that what the machine does meanwhile hits all alike. */

export type RoundsOptions<Subject, Sample> = {
  readonly subjects: readonly Subject[]
  readonly rounds: number
  /** How many rounds may be thrown away. */
  readonly spareRounds: number
  readonly measure: (subject: Subject) => Promise<Sample>
  /** Share of the CPU time, since it was last asked, that the machine did not have. */
  readonly steal: () => number
  /** Asked after each round; true ends the measurement early, though not before `leastRounds`. */
  readonly outOfTime: () => boolean
  readonly onRound: (done: number, repeated: number) => void
}

export type Rounds<Sample> = {
  /** By subject, then by round. */
  readonly samples: readonly (readonly Sample[])[]
  readonly repeated: number
  /** Mean over the rounds that count. */
  readonly steal: number
}

/** Above this a round says more about the machine's other guests than about us. */
const stealLimit = 0.02
/** Quartiles of fewer say nothing. */
const leastRounds = 5

/** There and back again (A B C, C B A, ...), so that nobody is always first after a pause. */
export async function runRounds<Subject, Sample>(
  options: RoundsOptions<Subject, Sample>,
): Promise<Rounds<Sample>> {
  const { subjects, rounds, spareRounds, measure, steal, outOfTime, onRound } = options
  const samples: Sample[][] = subjects.map(() => [])
  let repeated = 0
  let stolen = 0
  let round = 0
  while (round < rounds && !(round >= leastRounds && outOfTime())) {
    steal()
    const measured = await measureRound(subjects, round % 2 === 1, measure)
    const share = steal()
    if (share > stealLimit && repeated < spareRounds && !outOfTime()) {
      repeated++
      continue
    }
    stolen += share
    measured.forEach((sample, i) => samples[i]?.push(sample))
    onRound(++round, repeated)
  }
  return { samples, repeated, steal: stolen / round }
}

async function measureRound<Subject, Sample>(
  subjects: readonly Subject[],
  backwards: boolean,
  measure: (subject: Subject) => Promise<Sample>,
): Promise<Sample[]> {
  const measured: Sample[] = []
  for (const subject of backwards ? subjects.toReversed() : subjects) measured.push(await measure(subject))
  return backwards ? measured.toReversed() : measured
}
