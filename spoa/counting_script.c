#include "spoa/counting_script.h"

/* KEYS: the epoch, the gateways, then the limits'. ARGV: the gateway, since when others count, then
 * for each limit: window, count, left, "1" when it slides. The reply has the epoch, then for each
 * limit: kind, window, total, left; times in milliseconds.
 *
 * The epoch is another one when Redis has forgotten everything. A fixed window is a hash of the
 * counts of gateways, and of its end, which is its name. It is made by the first who tells of it,
 * or again by any who knows it, should Redis have lost it. A sliding one has with each gateway's
 * count the time when it was told; it counts for as long as the window is long. `clear` is when it
 * was cleared: who does not know of that yet tells of what was used before.
 *
 * Counts are passed on as texts: Lua would write those above 10^14 with too few digits. */
const char counting_script[] = COUNTING_CLOCK COUNTING_PRESENCE
    "for i = 1, #KEYS - 2 do\n"
    "  local key = KEYS[i + 2]\n"
    "  local window, count = tonumber(ARGV[4 * i - 1]), ARGV[4 * i]\n"
    "  local left, slides = tonumber(ARGV[4 * i + 1]), ARGV[4 * i + 2] == '1'\n"
    "  local kind, ends, total = 0, 0, 0\n"
    "  if slides then\n"
    "    local cleared = tonumber(hash('HGET', key, 'clear') or nil) or 0\n"
    "    if now - cleared < left and cleared > window then kind, ends = 1, cleared\n"
    "    else\n"
    "      ends = now + left\n"
    "      hash('HSET', key, node, count .. ' ' .. text(now))\n"
    "      redis.call('PEXPIRE', key, left)\n"
    "    end\n"
    "    local all = redis.call('HGETALL', key)\n"
    "    for k = 1, #all, 2 do\n"
    "      local n, at = string.match(all[k + 1], '^(%d+) (%d+)$')\n"
    "      if n and now - tonumber(at) < left then total = total + tonumber(n)\n"
    "      elseif all[k] ~= 'clear' or now - cleared >= left then\n"
    "        redis.call('HDEL', key, all[k])\n"
    "      end\n"
    "    end\n"
    "  else\n"
    "    ends = tonumber(hash('HGET', key, 'end') or nil)\n"
    "    if not ends or ends <= now then\n"
    "      ends = window > 0 and window or now + left\n"
    "      if ends <= now then kind = 2\n"
    "      else\n"
    "        redis.call('DEL', key)\n"
    "        redis.call('HSET', key, 'end', text(ends))\n"
    "        redis.call('PEXPIREAT', key, text(ends))\n"
    "      end\n"
    "    elseif window > 0 and window ~= ends then kind = 1 end\n"
    "    if kind == 0 then redis.call('HSET', key, node, count) end\n"
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

/* KEYS: the limit's. ARGV: the fixed window that is open at the gateway; 0: none. The reply: was it
 * there? What was used is forgotten, and gateways are told so when they tell of it. */
const char counting_clear_script[] =
    COUNTING_CLEAR("'end', text(ends + 1)", "  local lives = redis.call('PTTL', KEYS[1])\n"
                                            "  redis.call('DEL', KEYS[1])\n"
                                            "  if lives > 0 then\n"
                                            "    redis.call('HSET', KEYS[1], 'clear', text(now))\n"
                                            "    redis.call('PEXPIRE', KEYS[1], text(lives))\n"
                                            "  end\n");
