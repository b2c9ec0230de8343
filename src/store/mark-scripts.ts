// What is done to dead marks inside of Redis, each script on one key: nothing that somebody else wrote in between is lost.

const isManual = `local function manual(text)
  local ok, value = pcall(cjson.decode, text)
  return ok and type(value) == 'table' and value.manual == true
end
local function anyManual(fields)
  for at = 2, #fields, 2 do if manual(fields[at]) then return true end end
  return false
end
`;

/**
 * KEYS: `dead:<name>`; ARGV: index, seconds. The set lasts for its youngest member as in Hipache, and is never made to last
 * shorter: frontends mark for different times.
 */
export const addMemberScript = `redis.call('SADD', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) * 1000 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return 1`;

/**
 * KEYS: `health:<name>`; ARGV: entry, mark, seconds, index, milliseconds since the epoch. A mark of maintenance stays, and
 * learns the index; the hash expires only while it holds none.
 */
export const addMarkScript = `${isManual}local fields = redis.call('HGETALL', KEYS[1])
local mark = ARGV[2]
for at = 1, #fields, 2 do
  if fields[at] == ARGV[1] and manual(fields[at + 1]) then
    local value = cjson.decode(fields[at + 1])
    value.index = tonumber(ARGV[4])
    value.since = value.since or tonumber(ARGV[5])
    mark = cjson.encode(value)
  end
end
redis.call('HSET', KEYS[1], ARGV[1], mark)
if manual(mark) or anyManual(fields) then redis.call('PERSIST', KEYS[1])
elseif redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) * 1000 then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
return 1`;

/** KEYS: `health:<name>`; ARGV: entry. A mark of maintenance stays. */
export const dropMarkScript = `${isManual}local fields = redis.call('HGETALL', KEYS[1])
for at = 1, #fields, 2 do
  if fields[at] == ARGV[1] and not manual(fields[at + 1]) then redis.call('HDEL', KEYS[1], ARGV[1]) end
end
return 1`;

/** KEYS: `health:<name>`; ARGV: seconds that other marks may stay, then what the mark of maintenance may be called. */
export const endMaintenanceScript = `${isManual}local fields = redis.call('HGETALL', KEYS[1])
for at = 1, #fields, 2 do
  for name = 2, #ARGV do
    if fields[at] == ARGV[name] and manual(fields[at + 1]) then redis.call('HDEL', KEYS[1], fields[at]) end
  end
end
if not anyManual(redis.call('HGETALL', KEYS[1])) then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return 1`;
