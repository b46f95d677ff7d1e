import { describe, expect, it } from 'vitest';
import { objectSchema, revisionOf } from '../../../src/vaults/kubernetes/secret-object.ts';

const AT = '2026-03-01T10:00:00Z';
const LATER = '2026-03-01T11:00:00Z';

interface Writer {
  readonly manager: string;
  readonly time: string | null | undefined;
  readonly fields: readonly string[];
}

/** What the API server tells of a Secret whose keys of `data` these wrote. */
function metadataOf(...writers: readonly Writer[]) {
  const managedFields = writers.map(({ manager, time, fields }) => ({
    manager,
    operation: 'Update',
    time,
    fieldsV1: { 'f:data': Object.fromEntries(fields.map((field) => [`f:${field}`, {}])) },
  }));
  return objectSchema.parse({ metadata: { resourceVersion: '7', managedFields } }).metadata;
}

function writer(manager: string, time: string | null | undefined, ...fields: string[]): Writer {
  return { manager, time, fields };
}

const keys = ['secret'];

describe('V19: the revision of a Secret', () => {
  it('changes when its key is written again, and when somebody else wrote it', () => {
    const told = [
      metadataOf(writer('rekeyd', AT, 'secret')),
      metadataOf(writer('rekeyd', LATER, 'secret')),
      metadataOf(writer('kubectl-edit', AT, 'secret')),
      metadataOf(writer('rekeyd', AT, 'secret'), writer('kubectl-edit', LATER, 'secret')),
    ].map((metadata) => revisionOf(metadata, keys));
    expect(told).not.toContain(null);
    expect(new Set(told).size).toBe(told.length);
  });

  it('stays when somebody writes another key, and whatever the order in which writers are told', () => {
    const ours = writer('rekeyd', AT, 'secret');
    const theirs = writer('argocd', AT, 'secret', 'url');
    const alone = revisionOf(metadataOf(ours), keys);
    expect(revisionOf(metadataOf(ours, writer('kubectl-label', LATER, 'url')), keys)).toBe(alone);
    expect(revisionOf(metadataOf(ours, theirs), keys)).toBe(revisionOf(metadataOf(theirs, ours), keys));
  });

  it.each([null, undefined])('is told without its time where the API server says %s for it', (time) => {
    const unknown = revisionOf(metadataOf(writer('rekeyd', time, 'secret')), keys);
    expect(unknown).toContain('rekeyd');
    expect(unknown).not.toBe(revisionOf(metadataOf(writer('kubectl-edit', time, 'secret')), keys));
    expect(unknown).not.toBe(revisionOf(metadataOf(writer('rekeyd', AT, 'secret')), keys));
  });

  it('is not known where nobody is told to have written the key, or nobody at all', () => {
    expect(revisionOf(metadataOf(writer('rekeyd', AT, 'url')), keys)).toBeNull();
    expect(revisionOf(metadataOf(), keys)).toBeNull();
    expect(
      revisionOf(objectSchema.parse({ metadata: { resourceVersion: '7', managedFields: null } }).metadata, keys),
    ).toBeNull();
  });
});
