// Hipache, PlanB or hchecker on the same Redis: each side obeys the dead marks of the other and understands its messages, so that a
// fleet may come over node by node.
import { beforeEach, describe, expect, it } from 'vitest';
import { ok, type RawBackend, response } from '../helpers/backend.js';
import { eventually } from '../helpers/eventually.js';
import { refusing, type Site, useHipache } from '../helpers/hipache.js';
import {
  forPlayed,
  hchecker,
  hcheckerWouldCheck,
  hipache,
  hipacheChoosesAmong,
  type Played,
  planb,
  planbChoosesAmong,
  planbWouldCheck,
  play,
} from '../helpers/originals.js';

const world = useHipache();
const [refused] = refusing;
let site: Site;
let host: string;
let first: RawBackend;
let second: RawBackend;
let played: Played;

beforeEach(async () => {
  site = await world.site();
  host = world.host();
  [first, second] = [await world.backend(ok('first')), await world.backend(ok('second'))];
  played = { host, url: second.url };
});

/** Says what one of them was heard to say; returns when our node was told. */
async function says(commands: readonly string[] | undefined, about = played): Promise<void> {
  await play(world.redis.port, commands, about);
  await site.told();
}

const serves = (...urls: readonly string[]) => site.cli('rpush', `frontend:${host}`, 'vh', ...urls);
const answers = async () => [...new Set(await site.bodies(host, 6))].sort();
const members = async (name = host) => (await site.cli('smembers', `dead:${name}`)).split('\n').filter((line) => line !== '');

describe('what they mark is left alone by us from the next request on', () => {
  beforeEach(async () => {
    await serves(first.url, second.url);
    expect(await answers()).toEqual(['first', 'second']);
  });

  it.each([
    ['Hipache', hipache.mark],
    ['PlanB', planb.mark],
    ['the active check of PlanB', [...(planb.lock ?? []), ...(planb.unhealthy ?? [])]],
    ['hchecker', [...(hchecker.lock ?? []), ...(hchecker.dead ?? [])]],
  ])('%s', async (_who, commands) => {
    await says(commands);
    expect(await answers()).toEqual(['first']);
    expect(second.requests.length).toBe(3);
  });

  it.each([
    ['the active check of PlanB', planb.healthy],
    ['hchecker', hchecker.alive],
  ])('and is used again as soon as %s takes the mark away', async (_who, commands) => {
    await says(hipache.mark);
    expect(await answers()).toEqual(['first']);
    await says(commands);
    expect(await answers()).toEqual(['first', 'second']);
  });

  it('and is used again when the time of the mark is over', async () => {
    await says(hipache.mark?.map((line) => line.replace(/ 30$/, ' 1')));
    expect(await answers()).toEqual(['first']);
    await eventually('the second backend to be back', async () => (await answers()).length === 2);
  });

  it('of a wildcard, too, where they mark the host that was asked for', async () => {
    const wild = { ...played, host: `a.${host}` };
    await site.cli('rpush', `frontend:*.${host}`, 'wild', first.url, second.url);
    await says(hipache.mark, wild);
    expect(new Set(await site.bodies(wild.host, 6))).toEqual(new Set(['first']));
    expect(new Set(await site.bodies(`b.${host}`, 6))).toEqual(new Set(['first', 'second']));
  });
});

describe('what else they write does no harm', () => {
  beforeEach(async () => {
    await serves(first.url, second.url);
  });

  it.each([
    ['a message without a mark, as Hipache sends it beside an active hchecker', hipache.markBesideHchecker],
    ['the lock of PlanB, which looks like a set of dead marks', planb.lock],
    ['the locks of hchecker', hchecker.lock],
  ])('%s', async (_what, commands) => {
    await says(commands);
    expect(await answers()).toEqual(['first', 'second']);
    expect(site.logged.filter(({ level, msg }) => level !== 'info' && level !== 'debug' && msg.includes(host))).toEqual([]);
  });

  it('a mark on the only backend of a frontend, which PlanB makes, is obeyed until somebody takes it away', async () => {
    const only = world.host();
    await site.cli('rpush', `frontend:${only}`, 'vh', first.url);
    await says(
      planb.mark?.map((line) => line.replace(/ 1$/, ' 0')).map((line) => line.replace(';1;2', ';0;1')),
      { host: only, url: first.url },
    );
    expect((await site.get(only)).status).toBe(502);
    await says(
      planb.healthy?.map((line) => line.replace(/ 1$/, ' 0')),
      { host: only, url: first.url },
    );
    expect((await site.get(only)).status).toBe(200);
  });
});

describe('what we mark is left alone by them', () => {
  beforeEach(async () => {
    await serves(first.url, refused);
    played = { host, url: refused };
    const among = [await hipacheChoosesAmong(world.redis.port, played), await planbChoosesAmong(world.redis.port, played)];
    expect(among).toEqual([
      [first.url, refused],
      [first.url, refused],
    ]);
  });

  async function weMark(): Promise<string> {
    const channel = await world.deadChannel();
    expect(await answers()).toEqual(['first']);
    const [message = ''] = await channel.many(1);
    await eventually('the mark', async () => (await members()).length > 0);
    return message;
  }

  it('by Hipache and by PlanB, which would take anything but a number for backend 0', async () => {
    await weMark();
    expect(await members()).toEqual(['1']);
    expect(await hipacheChoosesAmong(world.redis.port, played)).toEqual([first.url]);
    expect(await planbChoosesAmong(world.redis.port, played)).toEqual([first.url]);
  });

  it('by a Hipache that serves another host of the same wildcard, as far as it looks there', async () => {
    const wild = world.host();
    await site.cli('rpush', `frontend:*.${wild}`, 'wild', first.url, refused);
    await site.bodies(`a.${wild}`, 2);
    await eventually('the mark', async () => (await members(`a.${wild}`)).includes('1'));
    expect(await members(`*.${wild}`)).toEqual(['1']);
  });

  it('and told of in the very words of Hipache', async () => {
    const message = await weMark();
    expect(message).toBe(forPlayed(hipache.heard?.[0] ?? '', played));
  });

  it('and taken under its care by hchecker on our message, as on those of the two others', async () => {
    const message = await weMark();
    const heard = [message, ...[hipache, planb].map((one) => forPlayed(one.heard?.[0] ?? '', played))];
    for (const one of heard) expect(await hcheckerWouldCheck(world.redis.port, one)).toBe(true);
  });

  it("and taken by PlanB's monitor where the entry of the list ends with a slash, as with messages of Hipache", async () => {
    const message = await weMark();
    expect(await planbWouldCheck(world.redis.port, message)).toBe(false);
    expect(await planbWouldCheck(world.redis.port, forPlayed(hipache.heard?.[0] ?? '', played))).toBe(false);
    await site.cli('lset', `frontend:${host}`, '2', `${refused}/`);
    expect(await planbWouldCheck(world.redis.port, message)).toBe(true);
  });

  it('and used by us again when hchecker or PlanB has found it well', async () => {
    const broken = { well: false };
    const sick = await world.backend(async (request, connection) => {
      await request.whole();
      connection.send(broken.well ? ok('second') : response('502 Bad Gateway', 'sick'));
    });
    const other = world.host();
    await site.cli('rpush', `frontend:${other}`, 'vh', first.url, sick.url);
    expect(new Set(await site.bodies(other, 2))).toEqual(new Set(['first', 'sick']));
    await eventually('the mark', async () => (await members(other)).includes('1'));
    expect(new Set(await site.bodies(other, 4))).toEqual(new Set(['first']));
    broken.well = true;
    await says(hchecker.alive, { host: other, url: sick.url });
    expect(new Set(await site.bodies(other, 4))).toEqual(new Set(['first', 'second']));
    expect(await hipacheChoosesAmong(world.redis.port, { host: other, url: sick.url })).toEqual([first.url, sick.url]);
  });
});

describe('beside an active hchecker', () => {
  it('we leave the marks to it as Hipache does, and our message is the one that it waits for', async () => {
    const now = Math.floor(Date.now() / 1000);
    await play(
      world.redis.port,
      hchecker.ping?.map((line) => line.replace(/\d+$/, String(now))),
      played,
    );
    const own = await world.ownSite();
    const channel = await world.deadChannel();
    await own.cli('rpush', `frontend:${host}`, 'vh', first.url, refused);
    expect(await own.bodies(host, 2)).toEqual(['first', 'first']);
    const [message = ''] = await channel.many(1);
    expect(message).toBe(
      forPlayed(hipache.markBesideHchecker?.[0] ?? '', { host, url: refused })
        .split(' ')
        .at(-1),
    );
    expect(await own.cli('exists', `dead:${host}`)).toBe('0');
    expect(await hcheckerWouldCheck(world.redis.port, message)).toBe(true);
    await world.redis.cli('del', 'hchecker_ping');
  });
});
