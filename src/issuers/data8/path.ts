/**
 * Puts an id into a path. Null where it may not be one: empty, a dot segment (a URL parser would climb by it), or text
 * that has no UTF-8.
 */
export function pathSegment(id: string): string | null {
  if (id === '' || id === '.' || id === '..' || !id.isWellFormed()) return null;
  return encodeURIComponent(id);
}
