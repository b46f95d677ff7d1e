import { setTimeout as sleep } from 'node:timers/promises';
import type { EntryRef } from '../../src/vaults/contract.ts';
import type { VaultHooks } from './vault-fixture.ts';

/** A KV mount, version 2, and a token that may do anything there. */
export interface KvPlace {
  readonly url: string;
  readonly token: string;
  readonly mount: string;
  readonly namespace?: string;
}

/** A server's answer: `body` is `{}` where there is none. */
export interface KvReply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** What a person does at a KV mount, with a client that shares nothing with the vault under test. */
export class KvHands {
  readonly place: KvPlace;

  constructor(place: KvPlace) {
    this.place = place;
  }

  async ask(method: string, path: string, body?: object): Promise<KvReply> {
    const { url, token, namespace } = this.place;
    const reply = await fetch(`${url}/v1/${path}`, {
      method,
      headers: {
        'x-vault-token': token,
        ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
        ...(method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    return { status: reply.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
  }

  /** @throws Error where the answer is no success. */
  async must(method: string, path: string, body?: object): Promise<KvReply> {
    const reply = await this.ask(method, path, body);
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
    return reply;
  }

  /** Mounts the engine, and waits until it is made up to version 2. */
  async mountEngine(): Promise<void> {
    await this.must('POST', `sys/mounts/${this.place.mount}`, { type: 'kv', options: { version: '2' } });
    for (let tries = 0; (await this.ask('GET', `${this.place.mount}/config`)).status !== 200; tries++) {
      if (tries > 100) throw new Error('the mount is not ready');
      await sleep(50);
    }
  }

  data(entry: string): string {
    return this.#path('data', entry);
  }

  metadata(entry: string): string {
    return this.#path('metadata', entry);
  }

  /** As `vault kv put` does: a new version of these keys alone. */
  async put(entry: string, data: Readonly<Record<string, unknown>>): Promise<void> {
    await this.must('POST', this.data(entry), { data });
  }

  /** The keys and values that are there. */
  async get(entry: string, version = 0): Promise<Record<string, unknown>> {
    const { body } = await this.must('GET', `${this.data(entry)}?version=${version}`);
    return (body['data'] as { data: Record<string, unknown> }).data;
  }

  async custom(entry: string): Promise<Record<string, string>> {
    return ((await this.#about(entry))['custom_metadata'] ?? {}) as Record<string, string>;
  }

  async version(entry: string): Promise<number> {
    return (await this.#about(entry))['current_version'] as number;
  }

  /** As `vault kv rollback` does: the old keys once more, as a new version. */
  async rollBack(entry: string, version: number): Promise<void> {
    await this.put(entry, await this.get(entry, version));
  }

  /** The hooks of the suite that are the same at every server. */
  hooks(): Required<
    Pick<
      VaultHooks,
      'editByHand' | 'removeMark' | 'rollBack' | 'rollBackAndForth' | 'makeEmpty' | 'putForeign' | 'addForeignMetadata'
    >
  > {
    return {
      editByHand: async ({ entry }: EntryRef, content) => {
        const data = await this.get(entry);
        await this.put(entry, { ...data, ['value' in data ? 'value' : 'clientSecret']: content });
      },
      removeMark: async ({ entry }) => {
        await this.must('POST', this.metadata(entry), { custom_metadata: {} });
      },
      rollBack: async ({ entry }) => this.rollBack(entry, (await this.version(entry)) - 1),
      rollBackAndForth: async ({ entry }) => {
        const now = await this.version(entry);
        for (const version of [now - 1, now]) await this.rollBack(entry, version);
      },
      makeEmpty: async ({ entry }) => {
        await this.must('DELETE', this.data(entry));
      },
      putForeign: ({ entry }, content) => this.put(entry, { value: content }),
      addForeignMetadata: async ({ entry }) => {
        await this.must('PATCH', this.metadata(entry), { custom_metadata: { owner: 'team-a' } });
        await this.put(entry, { ...(await this.get(entry)), 'team-a-note': 'stays' });
        return async () =>
          (await this.custom(entry))['owner'] === 'team-a' && (await this.get(entry))['team-a-note'] === 'stays';
      },
    };
  }

  #path(part: string, entry: string): string {
    return `${this.place.mount}/${part}/${entry.split('/').map(encodeURIComponent).join('/')}`;
  }

  async #about(entry: string): Promise<Record<string, unknown>> {
    return (await this.must('GET', this.metadata(entry))).body['data'] as Record<string, unknown>;
  }
}
