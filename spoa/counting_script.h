/* counting_script: what Redis does when it is told of counters (private to the counting files and
 * their tests). */
#pragma once

/* The time in milliseconds, and a number as text. */
#define COUNTING_TIME                                     \
    "local t = redis.call('TIME')\n"                      \
    "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n" \
    "local function text(x) return string.format('%.0f', x) end\n"

/* What scripts begin with: the time, the gateway, and hash(): a command on a hash, whatever
 * somebody else has put at its key. Else one such key would fail every call that has it, and with
 * them all limits. What it was is lost, so that all is told again: the epoch goes with it. */
#define COUNTING_CLOCK                                                                     \
    COUNTING_TIME                                                                          \
    "local node, lost = ARGV[1], false\n"                                                  \
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

/* A key is cleared. A fixed window is followed by one that ends a millisecond later, so that it has
 * another name: what gateways still say of the one before does not count. `fields` are what that
 * one begins with, `sliding` what is done to a key that has no fixed window. */
#define COUNTING_CLEAR(fields, sliding)                                    \
    COUNTING_TIME                                                          \
    "local had, here = redis.call('EXISTS', KEYS[1]), tonumber(ARGV[1])\n" \
    "local ends = redis.pcall('HGET', KEYS[1], 'end')\n"                   \
    "ends = type(ends) == 'string' and tonumber(ends) or 0\n"              \
    "if ends <= now or ends < here then ends = here end\n"                 \
    "if ends > now then\n"                                                 \
    "  redis.call('DEL', KEYS[1])\n"                                       \
    "  redis.call('HSET', KEYS[1], " fields ")\n"                          \
    "  redis.call('PEXPIREAT', KEYS[1], text(ends + 1))\n"                 \
    "else\n" sliding "end\n"                                               \
    "return had\n"

extern const char counting_script[];
extern const char counting_clear_script[];
