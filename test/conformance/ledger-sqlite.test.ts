import { SqliteFixture } from '../unit/ledger/sqlite-fixture.ts';
import { describeLedger } from './ledger-suite.ts';

describeLedger('sqlite', async () => {
  const fixture = new SqliteFixture();
  return { ledger: await fixture.open(), other: () => fixture.open(), dispose: () => fixture.dispose() };
});
