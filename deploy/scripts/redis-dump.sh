#!/bin/sh
# All keys of a Redis as JSON lines that `concord import --format redis` reads:
#
#   redis-dump.sh [OPTIONS OF redis-cli] > redis.jsonl          redis-dump.sh -h 10.0.0.9 -n 1 | concord import - --format redis
#
# A string is its value, a hash a JSON object, a list and a set an array, a sorted set an array of [member, score]. What is no UTF-8 is
# written as base64; a stream, and a hash, list or set with members that are no UTF-8, has no "value", and the import names its key's line.
# Redis is asked for a hundred keys at a time and writes these lines itself (Lua), so each is as of one moment; the whole is not. While
# it writes large values others wait: better ask a replica.
#
# Ends with 1 when Redis does not answer, or refuses; its words are on standard error.
set -eu

lines=$(cat <<'LUA'
local digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
local function digit(value) return digits:sub(value + 1, value + 1) end

local function base64(bytes)
  local text = bytes:gsub('..?.?', function(three)
    local a, b, c = three:byte(1, 3)
    local first = digit(math.floor(a / 4)) .. digit(a % 4 * 16 + math.floor((b or 0) / 16))
    if not b then return first .. '==' end
    local third = digit(b % 16 * 4 + math.floor((c or 0) / 64))
    return first .. third .. (c and digit(c % 64) or '=')
  end)
  return text
end

-- The sequences of more than one byte that UTF-8 has; what is left of them is none.
local sequences = {
  '[\194-\223][\128-\191]', '\224[\160-\191][\128-\191]', '[\225-\236\238\239][\128-\191][\128-\191]', '\237[\128-\159][\128-\191]',
  '\240[\144-\191][\128-\191][\128-\191]', '[\241-\243][\128-\191][\128-\191][\128-\191]', '\244[\128-\143][\128-\191][\128-\191]',
}
local function is_utf8(bytes)
  for _, sequence in ipairs(sequences) do bytes = bytes:gsub(sequence, ' ') end
  return not bytes:find('[\128-\255]')
end

local read = {}
function read.string(key)
  local value = redis.call('GET', key)
  if not value then return nil end
  if is_utf8(value) then return '"value":' .. cjson.encode(value) end
  return '"value":"' .. base64(value) .. '","encoding":"base64"'
end
function read.hash(key)
  local flat, map = redis.call('HGETALL', key), {}
  for i = 1, #flat, 2 do map[flat[i]] = flat[i + 1] end
  return '"value":' .. cjson.encode(map)
end
function read.list(key) return '"value":' .. cjson.encode(redis.call('LRANGE', key, 0, -1)) end
function read.set(key)
  local members = redis.call('SMEMBERS', key)
  table.sort(members)
  return '"value":' .. cjson.encode(members)
end
function read.zset(key)
  local flat, pairs_of = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'), {}
  for i = 1, #flat, 2 do
    local score = flat[i + 1]:find('inf') and cjson.encode(flat[i + 1]) or flat[i + 1]
    pairs_of[#pairs_of + 1] = '[' .. cjson.encode(flat[i]) .. ',' .. score .. ']'
  end
  return '"value":[' .. table.concat(pairs_of, ',') .. ']'
end

local scanned = redis.call('SCAN', ARGV[1], 'COUNT', 100)
local lines = { scanned[1] }
for _, key in ipairs(scanned[2]) do
  local kind = redis.call('TYPE', key)['ok']
  local value = read[kind] and read[kind](key) or ''
  local ttl = redis.call('PTTL', key)
  if kind ~= 'none' and ttl ~= -2 then
    local line = is_utf8(key) and '{"key":' .. cjson.encode(key) or '{"key_b64":"' .. base64(key) .. '"'
    if value ~= '' and is_utf8(value) then line = line .. ',' .. value end
    lines[#lines + 1] = line .. ',"pttl":' .. ttl .. ',"type":"' .. kind .. '"}'
  end
end
return lines
LUA
)

cursor=0
while :; do
  part=$(redis-cli "$@" --raw EVAL "$lines" 0 "$cursor")
  cursor=$(printf '%s\n' "$part" | head -n 1)
  case $cursor in
    '' | *[!0-9]*)
      printf 'redis-dump.sh: %s\n' "${part:-redis-cli said nothing}" >&2
      exit 1
      ;;
  esac
  printf '%s\n' "$part" | sed 1d
  [ "$cursor" != 0 ] || break
done
