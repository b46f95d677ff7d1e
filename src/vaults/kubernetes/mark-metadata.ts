import type { Mark } from '../../domain/mark.ts';
import { MARK_FIELDS, markFromFields, markToFields } from '../mark-fields.ts';
import { MANAGED_BY, MARK_PREFIX } from './names.ts';
import type { ObjectMetadata } from './secret-object.ts';
import { parseLayout } from './stored-payload.ts';
import type { Layout } from './stored-payload.ts';

const FINGERPRINT = `${MARK_PREFIX}fingerprint`;
const LAYOUT = `${MARK_PREFIX}payload`;
const VERSION = `${MARK_PREFIX}version`;

/** A mark with what binds it: which keys the value lies in, and its fingerprint and version, both keyed by the value. */
export interface BoundMark {
  readonly mark: Mark;
  readonly layout: Layout;
  readonly fingerprint: string;
  readonly version: string;
}

/** Labels and annotations. */
export interface Metadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The label and annotations of a mark. */
export function toMetadata({ mark, layout, fingerprint, version }: BoundMark): Metadata {
  const { 'managed-by': managedBy, ...fields } = markToFields(mark);
  const annotations = Object.fromEntries(Object.entries(fields).map(([field, text]) => [MARK_PREFIX + field, text]));
  const binding = { [LAYOUT]: JSON.stringify(layout), [FINGERPRINT]: fingerprint, [VERSION]: version };
  return { labels: { [MANAGED_BY]: managedBy }, annotations: { ...annotations, ...binding } };
}

/** The inverse of {@link toMetadata}; null where any part is gone or cannot be read. It does not throw. */
export function fromMetadata({ labels, annotations }: ObjectMetadata): BoundMark | null {
  const there = annotations ?? {};
  const fields = MARK_FIELDS.map((field): [string, unknown] => [field, there[MARK_PREFIX + field]]);
  const mark = markFromFields({ ...Object.fromEntries(fields), 'managed-by': labels?.[MANAGED_BY] });
  const layout = parseLayout(there[LAYOUT]);
  const [fingerprint, version] = [there[FINGERPRINT], there[VERSION]];
  if (mark === null || layout === null || fingerprint === undefined || version === undefined) return null;
  return { mark, layout, fingerprint, version };
}
