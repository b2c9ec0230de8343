// Takes the dead marks of a backend back, in every record of a route that may hold one.
import type { Backend } from '../model/backend.js';
import { membersOf } from '../model/dead-set.js';
import type { FrontendRecord, Route } from '../model/frontend.js';
import type { RevivalRequest, Store } from '../store/store.js';

/** What has to go from one record. */
export function revivalOf(record: FrontendRecord, backend: Backend): RevivalRequest {
  return { name: record.name, entry: backend.entry, members: membersOf(record, backend) };
}

/** Also where the records of the route were read before the mark was made: its member is then the index of the backend. */
export function reviveEverywhere(store: Pick<Store, 'revive'>, route: Route, backend: Backend): Promise<void> {
  const index = String(backend.index);
  return store.revive(
    route.records.map((record) => {
      const revival = revivalOf(record, backend);
      const claimed = record.marks.some((mark) => mark.entry !== backend.entry && String(mark.index) === index);
      return claimed || revival.members.includes(index) ? revival : { ...revival, members: [...revival.members, index] };
    }),
  );
}
