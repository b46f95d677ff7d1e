/**
 * Seeds that found a defect, and what it was. What is drawn for a seed changes with draw-schedule.ts: then they are seeds as
 * any other, and the named scenarios hold the mend.
 */
export const REGRESSION_SEEDS: readonly { readonly seed: number; readonly found: string }[] = [
  { seed: 185, found: 'a time to look again that was no whole millisecond became part of a rotation id' },
  {
    seed: 735,
    found: 'an entry that was rolled back and then deleted by hand, between two looks, kept the date of the old secret',
  },
  { seed: 1698, found: 'a crash right after a rotation yielded left the next look to the next full one' },
  { seed: 10_223, found: 'a repaired destination was stamped with the time of the delivery that it copied' },
  { seed: 10_846, found: 'an emptied destination was forgotten as soon as no rule named it' },
  {
    seed: 11_881,
    found: "a stranger's entry that a rule had named was not proven before what it may hold was deleted",
  },
  { seed: 12_009, found: 'a version that another daemon wrote did not put the grace of older secrets off' },
  { seed: 100_021, found: 'a destination that was ahead of what lived was copied to for ever' },
  { seed: 102_162, found: 'a lease that was taken during a freeze was not looked at again before the POST' },
  {
    seed: 218_451,
    found: 'a look whose list of secrets failed forgot that an entry had been written by somebody else',
  },
  { seed: 207_914, found: 'a read that lagged was copied as the value of the secret that the look had named' },
  {
    seed: 303_008,
    found: 'a served secret in doubt whose value could not be read was not asked about before the next full look',
  },
  {
    seed: 1_017_153,
    found: 'a destination that another daemon had delivered to until then did not put off the grace of what it served',
  },
  { seed: 1_000_500, found: 'a visit that the ledger cut off in mid-rotation was not made again before the next scan' },
  {
    seed: 1_001_199,
    found: 'an adopted entry that names no secret, and whose value could not be asked about, was said to be up to date',
  },
  { seed: 800_202, found: 'a tenth of renewBefore that was no whole millisecond became part of a rotation id' },
  {
    seed: 1_102_213,
    found: 'a daemon that was frozen while it stored its intent made a secret on what it had seen before',
  },
  {
    seed: 1_209_234,
    found:
      'an old ledger gave a rotation up while no vault could be read; its served secret had no grace when it was replaced',
  },
  {
    seed: 1_214_299,
    found:
      'a value that was rolled back unseen, and written over by a delivery, did not put off the grace of its secret',
  },
  {
    seed: 1_264_897,
    found: 'a former destination whose format a rebuilt ledger did not know kept a secret current that was gone',
  },
  {
    seed: 1_269_157,
    found: 'a request that waited in an old copy of the ledger was carried out a second time under its id',
  },
  {
    seed: 226_262,
    found: 'two secrets were deleted each because the other lived, while both requests were on their way',
  },
  {
    seed: 1_727_204,
    found: 'a secret that somebody had deleted was written over a living one, where a destination was tried again',
  },
  {
    seed: 1_719_321,
    found: 'extensions that were ignored were looked for in a hurry, hour after hour',
  },
  {
    seed: 2_210_181,
    found:
      'an adopted entry served a secret that was deleted while no rule spoke of it, and the end of another was told for its own',
  },
  {
    seed: 2_607_465,
    found:
      'a daemon whose clock was behind took the times of its peer for ones of a clock ahead, and the budget was spent twice',
  },
  {
    seed: 2_843_866,
    found:
      'an entry whose mark had been written back was moved back and forth before the next look, and no grace started anew',
  },
  {
    seed: 3_106_865,
    found: 'a bulk on a host whose clock was behind turned without end over one that was to wait',
  },
  {
    seed: 4_039_347,
    found:
      'a daemon under its old rules wrote over an entry that no rule of its peer names, and the grace that the peer had dated meanwhile ran from before',
  },
  {
    seed: 4_122_672,
    found:
      'a former destination that was rolled back and emptied was forgotten, though what it had held before was alive',
  },
  {
    seed: 4_134_666,
    found: 'one daemon looked every forty seconds at what another worked on for hours',
  },
  {
    seed: 4_301_315,
    found: 'under `verify: none` a secret that somebody had deleted during a freeze was delivered',
  },
  {
    seed: 4_461_188,
    found: 'what was due before the next scan, and left to a scan that was skipped, was not woken for',
  },
];
