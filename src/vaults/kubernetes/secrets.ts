import type { z } from 'zod';
import { VaultError } from '../../domain/errors.ts';
import type { About, ApiAnswer, ApiRequest, ApiServer } from './api-server.ts';
import { failure, isNamespaceMissing, isNamespaceTerminating, namespaceGone } from './failures.ts';
import type { Metadata } from './mark-metadata.ts';
import type { SecretPlace } from './names.ts';
import { FIELD_MANAGER, METADATA_ONLY, objectSchema, secretSchema } from './secret-object.ts';
import type { ObjectMetadata, SecretObject } from './secret-object.ts';

/** What is written of a Secret. A null takes a key away; what is not named stays as it is. */
export interface SecretPatch {
  readonly metadata: Metadata & { readonly resourceVersion?: string };
  readonly data?: Readonly<Record<string, string | null>>;
}

/** One Secret, and for whom it is asked: all that a call needs to name in an error. */
export interface Target {
  readonly place: SecretPlace;
  readonly about: About;
  readonly signal: AbortSignal | undefined;
}

/** The four requests about Secrets. Names are checked before; every error is a VaultError, or the abort reason. */
export class Secrets {
  readonly #server: ApiServer;

  constructor(server: ApiServer) {
    this.#server = server;
  }

  /** Null: the API server says that the namespace is there, and the Secret is not. */
  read(target: Target): Promise<SecretObject | null> {
    return this.#get(target, undefined, secretSchema);
  }

  /** As {@link read}, without the values. */
  async readMetadata(target: Target): Promise<ObjectMetadata | null> {
    return (await this.#get(target, METADATA_ONLY, objectSchema))?.metadata ?? null;
  }

  /** @throws VaultError `conflict` where it is there. */
  async create(target: Target, secret: SecretPatch & { readonly type: string }): Promise<void> {
    const { name, namespace } = target.place;
    const body = { apiVersion: 'v1', kind: 'Secret', ...secret, metadata: { ...secret.metadata, name, namespace } };
    const doing = { ...target, verb: 'create', resource: 'secrets' } as const;
    const path = `/api/v1/namespaces/${namespace}/secrets?fieldManager=${FIELD_MANAGER}`;
    const answer = await this.#send({ method: 'POST', path, body }, target);
    if (isNamespaceMissing(answer)) throw namespaceGone(doing, 'missing');
    if (isNamespaceTerminating(answer)) throw namespaceGone(doing, 'terminating');
    if (!isDone(answer)) throw failure(answer, doing);
  }

  /** A merge patch at a `resourceVersion`. @throws VaultError `conflict` where it is at another one, or gone. */
  async patch(target: Target, patch: SecretPatch): Promise<void> {
    const request: ApiRequest = {
      method: 'PATCH',
      path: `${pathOf(target.place)}?fieldManager=${FIELD_MANAGER}`,
      contentType: 'application/merge-patch+json',
      body: patch,
    };
    const answer = await this.#send(request, target);
    if (isDone(answer)) return;
    const doing = { ...target, verb: 'patch', resource: 'secrets' } as const;
    throw failure(answer.status === 404 ? { ...answer, status: 409 } : answer, doing);
  }

  async #get<S extends z.ZodType>(target: Target, accept: string | undefined, schema: S): Promise<z.output<S> | null> {
    const path = pathOf(target.place);
    const answer = await this.#send({ method: 'GET', path, ...(accept === undefined ? {} : { accept }) }, target);
    if (answer.status === 404) {
      await this.#proveNamespace(target);
      return null;
    }
    if (answer.status !== 200) throw failure(answer, { ...target, verb: 'get', resource: 'secrets' });
    return parsed(schema, answer, target.about);
  }

  /** Reading in a namespace that is not there is a 404 like any other: only the namespace itself tells. */
  async #proveNamespace(target: Target): Promise<void> {
    const doing = { ...target, verb: 'get', resource: 'namespaces' } as const;
    const path = `/api/v1/namespaces/${target.place.namespace}`;
    const answer = await this.#send({ method: 'GET', path, accept: METADATA_ONLY }, target);
    if (answer.status === 404) throw namespaceGone(doing, 'missing');
    if (answer.status !== 200) throw failure(answer, doing);
    const { metadata } = parsed(objectSchema, answer, target.about);
    if (metadata.deletionTimestamp != null) throw namespaceGone(doing, 'terminating');
  }

  #send(request: ApiRequest, { about, signal }: Target): Promise<ApiAnswer> {
    return this.#server.send(request, about, signal);
  }
}

/** Both writes are done where they are said to be: a new object, or a changed one. */
function isDone({ status }: ApiAnswer): boolean {
  return status === 200 || status === 201;
}

function pathOf({ namespace, name }: SecretPlace): string {
  return `/api/v1/namespaces/${namespace}/secrets/${name}`;
}

/** @throws VaultError that quotes nothing of the answer. */
function parsed<S extends z.ZodType>(schema: S, { body }: ApiAnswer, { vault, entry }: About): z.output<S> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const message = `Vault '${vault}', entry '${entry ?? ''}': what the API server answered is no object of its API.`;
  throw new VaultError('malformed', message, { vault, entry });
}
