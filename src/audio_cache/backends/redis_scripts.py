"""Scripts that Redis runs as a whole, so that no two nodes come between."""

from __future__ import annotations

from typing import Final

# KEYS: the task, and what remembers for a while that this event is written, as who asks for it may
# not hear the answer and ask again. ARGV: the run that the event belongs to or "", a new run's id,
# whether it comes too late after an end, whether it is one, its frame, its subject, how many are
# kept in full, for how many milliseconds a run is kept that goes on, and one that has ended, and
# what is published where.
EMIT: Final = """
local task, given, new = KEYS[1], ARGV[1], ARGV[2]
local known = redis.call('GET', KEYS[2])
if known then return tonumber(known) end
local state = redis.call('HMGET', task, 'run', 'ended', 'last')
local run, ended, last = state[1], state[2] == '1', tonumber(state[3] or '0')
if not run or ended then
  if given ~= '' or (run and ARGV[3] == '1') then return false end
  run, last = new, 0
elseif given ~= '' and given ~= run then
  return false
end
last = last + 1
local events, kept = task .. ':' .. run, task .. ':' .. run .. ':kept'
local order = kept .. ':order'
redis.call('XADD', events, last .. '-0', 'frame', ARGV[5], 'subject', ARGV[6], 'end', ARGV[4])
if redis.call('XLEN', events) > tonumber(ARGV[7]) then
  local oldest = redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1]
  redis.call('XDEL', events, oldest[1])
  local number = string.match(oldest[1], '%d+')
  redis.call('HSET', kept, oldest[2][4], number .. ' ' .. oldest[2][2])
  redis.call('ZADD', order, number, oldest[2][4])
  if redis.call('ZCARD', order) > tonumber(ARGV[7]) then
    redis.call('HDEL', kept, redis.call('ZPOPMIN', order)[1])
  end
end
redis.call('HSET', task, 'run', run, 'ended', ARGV[4], 'last', last)
local lasts = ARGV[4] == '1' and ARGV[9] or ARGV[8]
for _, key in ipairs({task, events, kept, order}) do redis.call('PEXPIRE', key, lasts) end
redis.call('SET', KEYS[2], last, 'EX', 300)
redis.call('PUBLISH', ARGV[10], ARGV[11])
return last
"""
# KEYS: the task. ARGV: a new run's id, whether an ended run is left alone only if it had no event
# ("create"), or whether any that goes on is ("get"), and for how many milliseconds it is kept.
BEGIN: Final = """
local state = redis.call('HMGET', KEYS[1], 'run', 'ended', 'last')
local is_kept = state[1] and (state[3] == '0' or (ARGV[2] == 'get' and state[2] ~= '1'))
if is_kept then return {state[1], 0} end
redis.call('HSET', KEYS[1], 'run', ARGV[1], 'ended', '0', 'last', '0')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {ARGV[1], 1}
"""
# One step, whatever becomes of who asks for it, and the same for the last of a hundred thousand
# tracks as for the first. KEYS: the run, what is left of it, what was begun, why tracks were
# skipped, the first failures, all outcomes, the tracks, and what was sent. ARGV: the number of the
# track, its fate, bytes saved, seconds of audio, why it was skipped, a failure, how many of those
# are kept, all of it where somebody asks for that, and for how many seconds a run is kept that goes
# on.
SETTLE: Final = """
local run, left, begun, skips, failures, outcomes = unpack(KEYS)
redis.call('SREM', begun, ARGV[1])
if redis.call('HGET', run, 'state') ~= 'running' then return 0 end
if redis.call('SREM', left, ARGV[1]) == 0 then return 0 end
redis.call('HINCRBY', run, ARGV[2], 1)
redis.call('HINCRBY', run, 'bytes_saved', ARGV[3])
redis.call('HINCRBYFLOAT', run, 'audio_s', ARGV[4])
if ARGV[2] == 'skipped' then redis.call('HINCRBY', skips, ARGV[5], 1) end
if ARGV[2] == 'failed' and redis.call('LLEN', failures) < tonumber(ARGV[7]) then
  redis.call('RPUSH', failures, ARGV[6])
end
if ARGV[8] ~= '' then redis.call('HSET', outcomes, ARGV[1], ARGV[8]) end
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[9]) end
return 1
"""
