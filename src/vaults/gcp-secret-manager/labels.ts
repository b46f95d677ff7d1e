import type { Mark } from '../../domain/mark.ts';

/** Labels are for finding what rekeyd keeps (`gcloud secrets list --filter=labels.rekeyd-instance=prod`); they are no mark. */
const MANAGED_BY = 'rekeyd-managed-by';
const INSTANCE = 'rekeyd-instance';
/** https://docs.cloud.google.com/secret-manager/docs/manage-labels */
const MOST_LABELS = 64;
const MOST_CHARACTERS = 63;

type Labels = Readonly<Record<string, string>>;

/** A secret's labels with ours among them; as they are where there is no room. */
export function labelsFor({ instance }: Mark, others: Labels): Labels {
  const labels = { ...others, [MANAGED_BY]: 'rekeyd', [INSTANCE]: labelValue(instance) };
  return Object.keys(labels).length <= MOST_LABELS ? labels : others;
}

/** Lower-case letters, digits, `-` and `_`. */
function labelValue(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '-')
    .slice(0, MOST_CHARACTERS);
}
