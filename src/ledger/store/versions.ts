/** Whether each new version follows on the stored one, or on the one before it in the same changes. */
export function followOn<T extends { readonly version: number }>(
  changes: readonly T[],
  idOf: (change: T) => string,
  storedVersion: (id: string) => number,
): boolean {
  const versions = new Map<string, number>();
  return changes.every((change) => {
    const id = idOf(change);
    const expected = (versions.get(id) ?? storedVersion(id)) + 1;
    versions.set(id, change.version);
    return change.version === expected;
  });
}
