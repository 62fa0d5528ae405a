#include "spoa/counting_script.h"

/* KEYS: the epoch, then the limits'. ARGV: the gateway, then for each limit: window, count, left,
 * "1" when it slides. The reply has the epoch, then for each limit: kind, window, total, left;
 * times in milliseconds.
 *
 * The epoch is another one when Redis has forgotten everything. A fixed window is a hash of the
 * counts of gateways, and of its end, which is its name. It is made by the first who tells of it,
 * or again by any who knows it, should Redis have lost it. A sliding one has with each gateway's
 * count the time when it was told; it counts for as long as the window is long.
 *
 * Counts are passed on as texts: Lua would write those above 10^14 with too few digits. */
const char counting_script[] =
    "local t = redis.call('TIME')\n"
    "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
    "local epoch = redis.call('GET', KEYS[1])\n"
    "if not epoch then epoch = string.format('%.0f', t[1] * 1000000 + t[2]) end\n"
    "redis.call('SET', KEYS[1], epoch, 'PX', 86400000)\n"
    "redis.call('HSET', KEYS[2], ARGV[1], string.format('%.0f', now))\n"
    "redis.call('PEXPIRE', KEYS[2], 86400000)\n"
    "local here, since, all = 0, tonumber(ARGV[2]), redis.call('HGETALL', KEYS[2])\n"
    "for k = 1, #all, 2 do\n"
    "  local at = tonumber(all[k + 1]) or 0\n"
    "  if now - at > 86400000 then redis.call('HDEL', KEYS[2], all[k])\n"
    "  elseif at >= since and now - at < 5000 then here = here + 1 end\n"
    "end\n"
    "local out = {tonumber(epoch) or 0, now, here}\n"
    "for i = 1, #KEYS - 2 do\n"
    "  local key = KEYS[i + 2]\n"
    "  local window, count = tonumber(ARGV[4 * i - 1]), ARGV[4 * i]\n"
    "  local left, slides = tonumber(ARGV[4 * i + 1]), ARGV[4 * i + 2] == '1'\n"
    "  local kind, ends, total = 0, 0, 0\n"
    "  if slides then\n"
    "    ends = now + left\n"
    "    redis.call('HSET', key, ARGV[1], count .. ' ' .. string.format('%.0f', now))\n"
    "    redis.call('PEXPIRE', key, left)\n"
    "    local all = redis.call('HGETALL', key)\n"
    "    for k = 1, #all, 2 do\n"
    "      local n, at = string.match(all[k + 1], '^(%d+) (%d+)$')\n"
    "      if n and now - tonumber(at) < left then total = total + tonumber(n)\n"
    "      else redis.call('HDEL', key, all[k]) end\n"
    "    end\n"
    "  else\n"
    "    ends = tonumber(redis.call('HGET', key, 'end') or nil)\n"
    "    if not ends or ends <= now then\n"
    "      ends = window > 0 and window or now + left\n"
    "      if ends <= now then kind = 2\n"
    "      else\n"
    "        local text = string.format('%.0f', ends)\n"
    "        redis.call('DEL', key)\n"
    "        redis.call('HSET', key, 'end', text)\n"
    "        redis.call('PEXPIREAT', key, text)\n"
    "      end\n"
    "    elseif window > 0 and window ~= ends then kind = 1 end\n"
    "    if kind == 0 then redis.call('HSET', key, ARGV[1], count) end\n"
    "    if kind < 2 then\n"
    "      local all = redis.call('HGETALL', key)\n"
    "      for k = 1, #all, 2 do\n"
    "        if all[k] ~= 'end' then total = total + (tonumber(all[k + 1]) or 0) end\n"
    "      end\n"
    "    end\n"
    "  end\n"
    "  out[#out + 1] = kind\n"
    "  out[#out + 1] = ends\n"
    "  out[#out + 1] = total\n"
    "  out[#out + 1] = math.max(ends - now, 0)\n"
    "end\n"
    "return out\n";
