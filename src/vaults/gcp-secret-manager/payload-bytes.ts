import { SecretValue } from '../../domain/secret-value.ts';

/** What is sent: the bytes of a value, and their checksum, so that the service sees damage on the way. */
export function bytesOf(content: SecretValue): { readonly data: Uint8Array; readonly dataCrc32c: number } {
  const data = Buffer.from(content.reveal(), 'utf8');
  return { data, dataCrc32c: crc32c(data) };
}

/** The text in the bytes; null where they are none (not UTF-8, or nothing): nothing that rekeyd could use. */
export function textOf(data: Uint8Array): SecretValue | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
    return text === '' ? null : SecretValue.of(text);
  } catch {
    return null; // which is the answer
  }
}

/** CRC-32C (Castagnoli; RFC 3720, appendix B.4), unsigned: the checksum of a payload's bytes. */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let entry = index;
  for (let bit = 0; bit < 8; bit += 1) entry = (entry & 1) === 0 ? entry >>> 1 : (entry >>> 1) ^ 0x82f63b78;
  return entry;
});
