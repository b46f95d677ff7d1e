import { VaultError } from '../../domain/errors.ts';
import type { Mark } from '../../domain/mark.ts';
import type { Payload } from '../../domain/payload.ts';
import type { SecretValue } from '../../domain/secret-value.ts';
import { SECOND } from '../../domain/time.ts';
import type { VaultContext } from '../contract.ts';
import { fits, lineOf, readAnnotations, roomProblem, sameLine, withLine, writeAnnotations } from './annotations.ts';
import type { Claim, Line, OwnAnnotations, VersionLine } from './annotations.ts';
import type { StoredSecret } from './answers.ts';
import type { SecretManagerApi } from './api.ts';
import { equalLine, look, settledLines, versionOf } from './entry.ts';
import type { Found } from './entry.ts';
import { labelsFor } from './labels.ts';
import type { replicationOf } from './options.ts';
import { bytesOf } from './payload-bytes.ts';
import { tidyBetween } from './tidy.ts';

/** A claim keeps others out for this many time-outs of a call: longer than the call that it is for may take. */
const CLAIM_LIFE = 2;
const BIND_ATTEMPTS = 3;
/** A look that finds nothing of its own after so many numbers looks no further. */
const FURTHEST = 8;

/**
 * Writes entries. Adding a version knows no compare-and-set, so it is claimed first, in the annotations, under the secret's
 * etag: with the mark, and the fingerprint of the value. Then the version is added, then its number is bound to the mark.
 * Wherever this ends, the value that is there has its mark (V2), and a repeat finds what was added.
 */
export class EntryWriter {
  readonly #api: SecretManagerApi;
  readonly #context: VaultContext;
  readonly #replication: ReturnType<typeof replicationOf>;

  constructor(api: SecretManagerApi, context: VaultContext, replication: ReturnType<typeof replicationOf>) {
    this.#api = api;
    this.#context = context;
    this.#replication = replication;
  }

  /** @throws VaultError */
  async deliver(entry: string, payload: Payload, mark: Mark, expected: string, signal?: AbortSignal): Promise<string> {
    const began = this.#context.clock.monotonic();
    const found = await this.#expect(entry, expected, signal);
    const line = lineOf(payload, mark);
    if (found !== null && found.value.state === 'there' && found.value.content.equals(payload.content)) {
      const exact = found.own.lines.find(({ number }) => number === found.number);
      if (exact === undefined || !sameLine(exact, line)) await this.#mark(entry, found, line, signal);
      return versionOf(found);
    }
    const { secret, claim, repeated } = await this.#claim(entry, found, payload.content, line, signal);
    const before = found?.number ?? 0;
    const number =
      (repeated ? await this.#addedBefore(entry, found, line, signal) : null) ??
      (await this.#add(entry, payload, before, began, signal));
    await tidyBetween(this.#api, this.#context.log, { entry, before, added: number, line }, signal);
    await this.#bind(entry, secret, claim, { ...line, number }, signal);
    return versionOf({ secret, number });
  }

  /** @throws VaultError */
  async restoreMark(entry: string, mark: Mark, expected: string, signal?: AbortSignal): Promise<string> {
    const found = await this.#expect(entry, expected, signal);
    if (found === null || found.number === 0) throw this.#api.error('conflict', entry, 'there is no entry to mark');
    if (found.value.state !== 'there') throw this.#api.error('malformed', entry, 'there is no value to mark');
    const { content } = found.value;
    const form = equalLine(found.own, content)?.form ?? 'opaque';
    await this.#mark(entry, found, lineOf({ form, content }, mark), signal);
    return versionOf(found);
  }

  async #expect(entry: string, expected: string, signal: AbortSignal | undefined): Promise<Found | null> {
    const found = await look(this.#api, entry, { value: true }, signal);
    if (versionOf(found) !== expected) {
      throw this.#api.error('conflict', entry, 'somebody else wrote it since it was read');
    }
    const lock = found === null || found.number === 0 ? null : roomProblem(found.secret.annotations);
    if (lock !== null) throw this.#api.error('locked', entry, lock);
    return found;
  }

  /** Gives the version that is there a line, in place of any that it has. */
  async #mark(entry: string, found: Found, line: Line, signal: AbortSignal | undefined): Promise<void> {
    const content = found.value.state === 'there' ? found.value.content : null;
    this.#keepOut(entry, found.own.claim, content);
    const lines = withLine(found.own.lines, { ...line, number: found.number });
    await this.#update(entry, found.secret, { lines, claim: null }, line.mark, signal);
  }

  /** @throws VaultError `conflict` where another one's claim holds, or the secret is not as it was seen. */
  async #claim(
    entry: string,
    found: Found | null,
    content: SecretValue,
    line: Line,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly secret: StoredSecret; readonly claim: Claim; readonly repeated: boolean }> {
    const { clock, ids } = this.#context;
    const claim: Claim = { ...line, id: ids.unique(), at: clock.now() };
    if (found === null) {
      const annotations = this.#room(entry, {}, { lines: [], claim });
      const parts = { annotations, labels: labelsFor(line.mark, {}), replication: this.#replication };
      return { secret: await this.#api.createSecret(entry, parts, signal), claim, repeated: false };
    }
    this.#keepOut(entry, found.own.claim, content);
    const repeated = found.own.claim !== null && fits(found.own.claim, content);
    const own = { lines: settledLines(found), claim };
    return { secret: await this.#update(entry, found.secret, own, line.mark, signal), claim, repeated };
  }

  /** A claim of the same value is an earlier try of the same delivery; one that is old was left behind. */
  #keepOut(entry: string, claim: Claim | null, content: SecretValue | null): void {
    if (claim === null || (content !== null && fits(claim, content))) return;
    const { clock, timeout } = this.#context;
    if (Math.abs(clock.now() - claim.at) >= CLAIM_LIFE * timeout) return;
    throw this.#api.error('conflict', entry, 'another rekeyd is writing it just now');
  }

  /**
   * The version that an earlier try added and did not live to bind; null: there is none. It is asked for by number: that
   * does not lag, as `latest` may.
   */
  async #addedBefore(
    entry: string,
    found: Found | null,
    line: Line,
    signal: AbortSignal | undefined,
  ): Promise<number | null> {
    const seen = found?.number ?? 0;
    const first = found?.value.state === 'missing' ? Math.max(seen, 1) : seen + 1;
    for (let number = first; number < first + FURTHEST; number += 1) {
      const accessed = await this.#api.access(entry, number, signal);
      if (accessed.state === 'none') return null;
      if (accessed.state === 'value' && accessed.content !== null && fits(line, accessed.content)) return number;
    }
    return null;
  }

  async #add(
    entry: string,
    payload: Payload,
    before: number,
    began: number,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    // A process that slept in between may no longer rely on its claim.
    if (this.#context.clock.monotonic() - began >= this.#context.timeout) {
      throw this.#api.error('unavailable', entry, 'it took too long to claim it');
    }
    const added = await this.#api.addVersion(entry, bytesOf(payload.content), signal);
    if (added.number <= before) throw this.#api.error('malformed', entry, 'a new version has an old number');
    if (added.checked) return added.number;
    const accessed = await this.#api.access(entry, added.number, signal);
    if (accessed.state === 'value' && accessed.content?.equals(payload.content) === true) return added.number;
    throw this.#api.error('malformed', entry, `version ${added.number} does not hold what was sent`);
  }

  /** Puts the version's line in the place of the claim. What others changed in the secret meanwhile stays. */
  async #bind(
    entry: string,
    claimed: StoredSecret,
    claim: Claim,
    line: VersionLine,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    let secret = claimed;
    for (let attempt = 1; ; attempt += 1) {
      const own = readAnnotations(secret.annotations);
      if (own.claim?.id !== claim.id) throw this.#api.error('conflict', entry, 'another rekeyd took it over');
      try {
        await this.#update(entry, secret, { lines: withLine(own.lines, line), claim: null }, line.mark, signal);
        return;
      } catch (error) {
        if (!(error instanceof VaultError) || attempt === BIND_ATTEMPTS) throw error;
        if (error.fault === 'throttled') {
          // Three writes in a row are more than the 2 a second that a secret takes for sure.
          await this.#context.ticker.sleep(attempt * SECOND, signal);
        } else if (error.fault === 'conflict') {
          const now = await this.#api.getSecret(entry, signal);
          if (now === null) throw error;
          secret = now;
        } else {
          throw error;
        }
      }
    }
  }

  #update(
    entry: string,
    secret: StoredSecret,
    own: OwnAnnotations,
    mark: Mark,
    signal: AbortSignal | undefined,
  ): Promise<StoredSecret> {
    const annotations = this.#room(entry, secret.annotations, own);
    const labels = labelsFor(mark, secret.labels);
    return this.#api.updateSecret(entry, { etag: secret.etag, annotations, labels }, signal);
  }

  #room(entry: string, all: StoredSecret['annotations'], own: OwnAnnotations): StoredSecret['annotations'] {
    const annotations = writeAnnotations(all, own);
    if (annotations !== null) return annotations;
    throw this.#api.error('rejected', entry, 'its annotations have no room for our mark (16 KiB with those of others)');
  }
}
