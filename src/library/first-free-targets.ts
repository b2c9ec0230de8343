// Targets as Proximux takes them: the first one in the list that is free, dead or not.
import { type Pick, Targets } from '../stream/targets.js';

export class FirstFreeTargets extends Targets {
  override pick(_key: string, tried: readonly string[]): Pick {
    let full = false;
    for (const target of this.plan.targets) {
      if (tried.includes(target.id)) continue;
      if (this.hasRoom(target)) return target;
      full = true;
    }
    return full ? 'full' : 'none';
  }
}
