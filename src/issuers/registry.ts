import type { IssuerType } from './contract.ts';
import { data8 } from './data8.ts';

/** All types of issuer: one line each, one file each. */
export const issuerTypes: ReadonlyMap<string, IssuerType> = new Map<string, IssuerType>([[data8.type, data8]]);
