// The Lua scripts of the incident log and of bursts: each decides and writes in one step, so that no two processes can both believe they were first.

/**
 * KEYS: log, incidents, sweep, token, heard, repeats, unanchored, then one per claim, one per budget, one per thing that it is about. ARGV: a JSON object of scalars and lists, then one entry per event.
 * Everything is checked before anything is written.
 */
export const APPEND = `
local log, incidents, sweep, token = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local o = cjson.decode(ARGV[1])
local claims, first = #o.claimFrom, 7

if redis.call('LLEN', log) ~= o.expected then return {'conflict'} end
if o.expected > 0 and string.sub(redis.call('LINDEX', log, -1), 1, #o.head) ~= o.head then return {'conflict'} end
for i, from in ipairs(o.claimFrom) do
  local by = redis.call('GET', KEYS[first + i])
  if by and by ~= from and by ~= o.id then return {'held', by, i} end
end
for i, budget in ipairs(o.budgets) do
  local key = KEYS[first + claims + i]
  local spent = redis.call('ZCOUNT', key, '(' .. budget.since, '+inf')
  local mine = redis.call('ZSCORE', key, budget.member)
  if mine and tonumber(mine) > tonumber(budget.since) then spent = spent - 1 end
  if spent >= budget.limit then return {'over-budget', '', i} end
end

for i = 2, #ARGV do redis.call('RPUSH', log, ARGV[i]) end
redis.call('ZADD', incidents, 'NX', o.now, o.id)
redis.call('SADD', sweep, o.id)
redis.call('SADD', KEYS[7], o.id)
if o.expected > 0 then redis.call('DEL', KEYS[5]) end
if o.repeats > 0 then redis.call('DECRBY', KEYS[6], o.repeats) end
for i = 1, #o.claimFrom do redis.call('SET', KEYS[first + i], o.id) end
if o.sealed then redis.call('SET', token, o.sealed, 'PX', o.sealedTtl) end
for i, budget in ipairs(o.budgets) do
  local key = KEYS[first + claims + i]
  redis.call('ZREMRANGEBYSCORE', key, '-inf', budget.since)
  redis.call('ZADD', key, o.now, budget.member)
  redis.call('PEXPIRE', key, budget.window)
end
for i = first + 1 + claims + #o.budgets, #KEYS do
  redis.call('ZADD', KEYS[i], o.now, o.id)
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', o.aboutSince)
  redis.call('PEXPIRE', KEYS[i], o.aboutFor)
end
return {'appended'}
`;

/**
 * KEYS: log, cursors, repeats. ARGV: from which entry. Much read: a transaction of three commands costs the process several
 * times as much.
 */
export const LOAD = `--[[ load the incident
]]
local entries, cursors = redis.call('LRANGE', KEYS[1], ARGV[1], -1), redis.call('HGETALL', KEYS[2])
return {entries, cursors, redis.call('GET', KEYS[3]) or '0'}
`;

/** KEYS: claim. ARGV: the prefixes of what is heard and of its numbers, what was said. Who holds the claim, and whether it was counted. */
export const RECOGNISE = `
local id = redis.call('GET', KEYS[1])
if not id then return false end
if redis.call('SISMEMBER', ARGV[1] .. id, ARGV[3]) == 0 then return {id, 0} end
redis.call('INCR', ARGV[2] .. id)
return {id, 1}
`;

/** KEYS: log, heard, repeats. ARGV: version, what was said, for how long. Where something was appended meanwhile, the next repeat is looked at anew. */
export const QUIET = `
local length = redis.call('LLEN', KEYS[1])
if length > 0 then redis.call('INCR', KEYS[3]) end
if length ~= tonumber(ARGV[1]) then return 0 end
redis.call('SADD', KEYS[2], ARGV[2])
local left = redis.call('PTTL', KEYS[2])
if left < 0 or left > tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[2], ARGV[3]) end
return 1
`;

/** KEYS: log, cursors, sweep. ARGV: id, version, then the cursors as field, value, … */
export const SETTLE = `
if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[2]) then return 0 end
if redis.call('HLEN', KEYS[2]) ~= (#ARGV - 2) / 2 then return 0 end
for i = 3, #ARGV, 2 do
  if redis.call('HGET', KEYS[2], ARGV[i]) ~= ARGV[i + 1] then return 0 end
end
return redis.call('SREM', KEYS[3], ARGV[1])
`;

/** KEYS: cursors. ARGV: reporter, version. A slow reporter must not take back what a faster one has shown, and learns of it. */
export const ADVANCE = `
local shown = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
local version = tonumber(ARGV[2])
if version <= shown then return shown end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return version
`;

/**
 * KEYS: burst-of, openings, burst-now. ARGV: prefix of the bursts' own keys, incident, cards, most, then when it opened,
 * that less and plus the window, and since when openings are kept. What was decided once for an incident stays, except that
 * those which opened just before a burst belong to it too.
 */
export const PLACE = `
local of, openings, now = KEYS[1], KEYS[2], KEYS[3]
local prefix, id, cards, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local opened, since, till, old = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local known = redis.call('HGET', of, id)
if known then return known end

redis.call('ZADD', openings, opened, id)
redis.call('ZREMRANGEBYSCORE', openings, '-inf', '(' .. old)
local burst = redis.call('HGET', now, 'id')
local last = tonumber(redis.call('HGET', now, 'last') or '0')
local near = burst and last >= tonumber(since) and last <= tonumber(till)
if not near or redis.call('ZCARD', prefix .. burst) >= most then
  burst = ''
  local free = {}
  for _, other in ipairs(redis.call('ZRANGEBYSCORE', openings, since, till)) do
    local its = redis.call('HGET', of, other)
    if not its or its == '' then free[#free + 1] = other end
  end
  if near or #free > cards then
    burst = id
    for _, other in ipairs(free) do
      redis.call('ZADD', prefix .. burst, redis.call('ZSCORE', openings, other), other)
      redis.call('HSET', of, other, burst)
    end
  end
end
redis.call('HSET', of, id, burst)
if burst ~= '' then
  redis.call('ZADD', prefix .. burst, opened, id)
  redis.call('HSET', now, 'id', burst, 'last', opened)
end
return burst
`;

/**
 * KEYS: ledger, then where an incident is purged: incidents, sweep, openings, burst-of, unanchored, its log, cursors,
 * token, card, heard, repeats, and one per claim. ARGV: expected length, expected head, entry, then of that incident: id, version, head, and the prefix of
 * the bursts' own keys. The stub is written in the same
 * step that removes the incident, so there is no moment with one and without the other.
 */
export const LEDGER = `
local expected = tonumber(ARGV[1])
if redis.call('LLEN', KEYS[1]) ~= expected then return 'conflict' end
if expected > 0 and string.sub(redis.call('LINDEX', KEYS[1], -1), 1, #ARGV[2]) ~= ARGV[2] then return 'conflict' end
local id = ARGV[4]
if id then
  if redis.call('LLEN', KEYS[7]) ~= tonumber(ARGV[5]) then return 'changed' end
  if string.sub(redis.call('LINDEX', KEYS[7], -1), 1, #ARGV[6]) ~= ARGV[6] then return 'changed' end
end
redis.call('RPUSH', KEYS[1], ARGV[3])
if id then
  redis.call('ZREM', KEYS[2], id)
  redis.call('SREM', KEYS[3], id)
  redis.call('ZREM', KEYS[4], id)
  local burst = redis.call('HGET', KEYS[5], id)
  if burst and burst ~= '' then redis.call('ZREM', ARGV[7] .. burst, id) end
  redis.call('HDEL', KEYS[5], id)
  redis.call('SREM', KEYS[6], id)
  redis.call('DEL', unpack(KEYS, 7, 12))
  for i = 13, #KEYS do
    if redis.call('GET', KEYS[i]) == id then redis.call('DEL', KEYS[i]) end
  end
end
return 'appended'
`;

/** KEYS: logs. Answers length and keyed hash of the last entry of each, in pairs that belong together. */
export const HEADS = `
local found = {}
for i = 1, #KEYS do
  local last = redis.call('LINDEX', KEYS[i], -1)
  found[2 * i - 1] = redis.call('LLEN', KEYS[i])
  found[2 * i] = last and string.sub(last, 1, 64) or ''
end
return found
`;

/** KEYS: unanchored, logs. ARGV: of each log its incident, and the version and hash that were anchored. What was appended to since stays. */
export const ANCHORED = `
for i = 2, #KEYS do
  if redis.call('LLEN', KEYS[i]) == tonumber(ARGV[3 * i - 4]) then redis.call('SREM', KEYS[1], ARGV[3 * i - 5]) end
end
return 1
`;

/** KEYS: a log. Its length, and its last two entries. */
export const END = `return {redis.call('LLEN', KEYS[1]), redis.call('LRANGE', KEYS[1], -2, -1)}`;

/** KEYS: incidents, then the log and the cursors of each. ARGV: their ids. Whether it is listed, its entries, and how far it was shown. */
export const TRAILS = `
local found = {}
for i = 1, #ARGV do
  local listed = redis.call('ZSCORE', KEYS[1], ARGV[i]) and 1 or 0
  found[i] = {listed, redis.call('LRANGE', KEYS[2 * i], 0, -1), redis.call('HVALS', KEYS[2 * i + 1])}
end
return found
`;
