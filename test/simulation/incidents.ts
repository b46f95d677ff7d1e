import type { Instant } from '../../src/domain/time.ts';
import { CONFIGURATION_INCIDENTS } from './incidents/configuration-incidents.ts';
import { HAND_INCIDENTS } from './incidents/hand-incidents.ts';
import { ISSUER_INCIDENTS } from './incidents/issuer-incidents.ts';
import { LATER_INCIDENTS } from './incidents/later-incidents.ts';
import { MACHINE_INCIDENTS } from './incidents/machine-incidents.ts';
import type { Act } from './incidents/means.ts';
import { OPERATOR_INCIDENTS } from './incidents/operator-incidents.ts';
import type { SimWorld } from './sim-world.ts';

/** Something that happens to the world at a time, but for what calls meet. */
export interface Incident {
  readonly id: string;
  readonly at: Instant;
  readonly kind: IncidentKind;
}

/** Most of what people and bad luck do. Seeds draw from it by place: what is added belongs to the later ones. */
const DRAWN_TOGETHER = {
  ...MACHINE_INCIDENTS,
  ...HAND_INCIDENTS,
  ...CONFIGURATION_INCIDENTS,
  ...OPERATOR_INCIDENTS,
  ...ISSUER_INCIDENTS,
} satisfies Record<string, Act>;

const INCIDENTS = { ...DRAWN_TOGETHER, ...LATER_INCIDENTS } satisfies Record<string, Act>;

export type IncidentKind = keyof typeof INCIDENTS;
export const INCIDENT_KINDS = Object.keys(DRAWN_TOGETHER) as IncidentKind[];
export const LATER_KINDS = Object.keys(LATER_INCIDENTS) as IncidentKind[];

/** Lets an incident happen at its time. Its draws are its own, so that leaving another out does not move it. */
export function arrange(world: SimWorld, incident: Incident): void {
  world.time.at(incident.at, () => {
    const act: Act = INCIDENTS[incident.kind];
    act(world, (what) => world.chance.draw(`${incident.id} ${what}`));
  });
}
