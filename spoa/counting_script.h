/* counting_script: what Redis does when it is told of counters (private to the counting files and
 * their tests). */
#pragma once

/* What scripts begin with: the time in milliseconds, the gateway, a number as text, and hash(): a
 * command on a hash, whatever somebody else has put at its key. Else one such key would fail every
 * call that has it, and with them all limits. What it was is lost, so that all is told again: the
 * epoch goes with it. */
#define COUNTING_CLOCK                                                                     \
    "local t = redis.call('TIME')\n"                                                       \
    "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"                                  \
    "local node, lost = ARGV[1], false\n"                                                  \
    "local function text(x) return string.format('%.0f', x) end\n"                         \
    "local function hash(command, key, ...)\n"                                             \
    "  local reply = redis.pcall(command, key, ...)\n"                                     \
    "  if type(reply) ~= 'table' or not reply.err then return reply end\n"                 \
    "  if not string.find(reply.err, 'WRONGTYPE', 1, true) then return error(reply) end\n" \
    "  lost = true\n"                                                                      \
    "  redis.call('DEL', key, KEYS[1])\n"                                                  \
    "  return redis.call(command, key, ...)\n"                                             \
    "end\n"

/* What is done whenever something is told. KEYS[1]: the epoch, another one when Redis has forgotten
 * everything. KEYS[2]: when each gateway was here last. ARGV[2]: since when others count; `here` is
 * how many have been here. Begins the reply, `out`. */
#define COUNTING_PRESENCE                                                                 \
    "local epoch = redis.pcall('GET', KEYS[1])\n"                                         \
    "if type(epoch) ~= 'string' or not string.find(epoch, '^%d+$') or #epoch > 16 then\n" \
    "  epoch = text(t[1] * 1000000 + t[2])\n"                                             \
    "end\n"                                                                               \
    "redis.call('SET', KEYS[1], epoch, 'PX', 86400000)\n"                                 \
    "if type(redis.pcall('HSET', KEYS[2], node, text(now))) == 'table' then\n"            \
    "  redis.call('DEL', KEYS[2])\n"                                                      \
    "  redis.call('HSET', KEYS[2], node, text(now))\n"                                    \
    "end\n"                                                                               \
    "redis.call('PEXPIRE', KEYS[2], 86400000)\n"                                          \
    "local here, since, all = 0, tonumber(ARGV[2]), redis.call('HGETALL', KEYS[2])\n"     \
    "for k = 1, #all, 2 do\n"                                                             \
    "  local at = tonumber(all[k + 1]) or 0\n"                                            \
    "  if now - at > 86400000 then redis.call('HDEL', KEYS[2], all[k])\n"                 \
    "  elseif at >= since and now - at < 5000 then here = here + 1 end\n"                 \
    "end\n"                                                                               \
    "local out = {tonumber(epoch) or 0, now, here}\n"

extern const char counting_script[];
