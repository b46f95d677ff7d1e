import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { kubernetesVaultType } from '../../../src/vaults/kubernetes.ts';

const { entryOf, nameProblem, destination } = kubernetesVaultType;
const vault = { namespace: 'apps', kubeconfig: null, context: null, cluster: null };
const destinations = z.strictObject(destination);

describe('names of Secrets', () => {
  it('V10: the namespace by default, as an option and in the name are one entry', () => {
    const names = [
      entryOf('orders', {}, vault),
      entryOf('orders', { namespace: 'apps' }, vault),
      entryOf('apps/orders', {}, vault),
    ];
    expect(new Set(names)).toEqual(new Set(['apps/orders']));
    expect(entryOf('orders', { namespace: 'prod' }, vault)).toBe('prod/orders');
  });

  it.each(['orders', 'data8-orders.v2', 'prod/orders', '0', 'a'.repeat(253)])('takes %s', (name) => {
    expect(nameProblem(name, {}, vault)).toBeNull();
  });

  it.each([
    'Orders',
    'data8_orders',
    '-orders',
    'orders-',
    'orders.',
    'a..b',
    'a'.repeat(254),
    'prod/eu/orders',
    'Prod/orders',
    'pr.od/orders',
    `${'a'.repeat(64)}/orders`,
    'ordérs',
  ])('V10: refuses %s', (name) => {
    expect(nameProblem(name, {}, vault)).toMatch(/\w/);
  });

  it('V10: refuses a namespace that is none, two of them, and none at all', () => {
    expect(nameProblem('orders', { namespace: 'Prod' }, vault)).toMatch(/'Prod' is no namespace/);
    expect(nameProblem('prod/orders', { namespace: 'test' }, vault)).toMatch(/leave one out/);
    expect(nameProblem('orders', {}, { ...vault, namespace: null })).toMatch(/no namespace is given/);
    expect(nameProblem('orders', { namespace: 'prod' }, { ...vault, namespace: null })).toBeNull();
  });

  it('V10: refuses a label that placeholders made invalid, and takes any annotation', () => {
    expect(nameProblem('orders', { labels: { app: 'Orders (prod)' } }, vault)).toMatch(/the label app cannot be/);
    expect(nameProblem('orders', { labels: { app: '' } }, vault)).toBeNull();
    expect(nameProblem('orders', { annotations: { 'example.com/app': 'Orders (prod)\n' } }, vault)).toBeNull();
  });
});

describe('names of fields', () => {
  it('V10: are told when the configuration is loaded, where a Secret cannot have them as keys', () => {
    const { fieldsProblem } = kubernetesVaultType;
    expect(fieldsProblem(['CLIENT_ID', 'client-secret', 'tls.key', '0', 'a'.repeat(253)])).toBeNull();
    for (const bad of ['client id', 'client/id', '', '.', '..data', 'clé', 'a'.repeat(254)]) {
      expect(fieldsProblem(['CLIENT_ID', bad])).toContain(`'${bad}' is no key for a Secret`);
    }
  });
});

describe('options of a destination', () => {
  it.each([
    { labels: { 'app.kubernetes.io/managed-by': 'Helm' } },
    { annotations: { 'rekeyd.io/generation': '7' } },
    { labels: { 'a b': 'c' } },
    { labels: { 'Example.com/a': 'c' } },
    { annotations: { 'example.com/a/b': 'c' } },
    { annotations: { '': 'c' } },
    { type: 'kubernetes.io/service-account-token' },
    { type: 'two words' },
    { namespace: '' },
  ])('refuses %j', (options) => {
    expect(destinations.safeParse(options).success).toBe(false);
  });

  it.each([
    { labels: { app: '{app}', 'example.com/Team_1.a': 'a' }, annotations: {}, namespace: '{env}' },
    { type: 'kubernetes.io/basic-auth' },
    {},
  ])('takes %j', (options) => {
    expect(destinations.safeParse(options).success).toBe(true);
  });
});
