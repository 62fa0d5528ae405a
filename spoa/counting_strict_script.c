#include "spoa/counting_strict_script.h"

#include "spoa/counting_script.h"

/* A fixed window is a hash of its end, which is its name, of what all have used of it, and of each
 * gateway's part. A sliding one is a hash of 64 and one ticks, as long as a 64th of it, with what
 * was used in each; it counts whole ticks, so that no stretch of its length has more than the
 * quota. Spike arrest is in the same hash: its count and its end. What was used is added to it, so
 * that it says of which epoch it is: in another one everything is told again, from nothing.
 *
 * Each gateway says with its requests, and tells, what it knows to have used itself of which
 * window: what Redis does not know of it, it has lost, or could not be told.
 *
 * Nothing is written before all limits have been looked at: a Redis that is full or read-only
 * refuses the first write, and with it all of the request. */

/* look(): the state of one limit, for a request of `cost`. put(): writes it. */
#define FIXED                                                                                     \
    "local function look_fixed(l)\n"                                                              \
    "  local h = hash('HMGET', l.key, 'end', 'all', node, 'burst', 'bend')\n"                     \
    "  l.ends, l.all = tonumber(h[1]) or 0, tonumber(h[2]) or 0\n"                                \
    "  l.own, l.burst, l.bend = tonumber(h[3]) or 0, tonumber(h[4]) or 0, tonumber(h[5]) or 0\n"  \
    "  if l.ends <= now then\n"                                                                   \
    "    l.fresh, l.all, l.own = true, 0, 0\n"                                                    \
    "    if l.window > now then l.ends, l.own = l.window, l.count\n"                              \
    "    elseif l.window == 0 and l.count > 0 and l.left > 0 then\n"                              \
    "      l.ends, l.own = now + l.left, l.count\n"                                               \
    "    else l.ends = now + l.length end\n"                                                      \
    "    l.all = l.own\n"                                                                         \
    "  elseif (l.window == 0 or l.window == l.ends) and l.count > l.own then\n"                   \
    "    l.all, l.own = l.all + l.count - l.own, l.count\n"                                       \
    "  end\n"                                                                                     \
    "end\n"                                                                                       \
    "local function put_fixed(l)\n"                                                               \
    "  local set = {'HSET', l.key, 'end', text(l.ends), 'all', text(l.all), node, text(l.own)}\n" \
    "  local lives = l.ends\n"                                                                    \
    "  if l.bend > now then\n"                                                                    \
    "    set[9], set[10], set[11], set[12] = 'burst', text(l.burst), 'bend', text(l.bend)\n"      \
    "    lives = math.max(lives, l.bend)\n"                                                       \
    "  end\n"                                                                                     \
    "  if l.fresh then redis.call('DEL', l.key) end\n"                                            \
    "  redis.call(unpack(set))\n"                                                                 \
    "  if l.fresh or l.bend > now then redis.call('PEXPIREAT', l.key, text(lives)) end\n"         \
    "end\n"

#define SLIDING                                                                       \
    "local function look_sliding(l)\n"                                                \
    "  l.tick = math.max(math.ceil(l.length / 64), 1)\n"                              \
    "  l.at = math.floor(now / l.tick)\n"                                             \
    "  l.all, l.ticks, l.stale, l.burst, l.bend = 0, {}, {}, 0, 0\n"                  \
    "  local h = hash('HGETALL', l.key)\n"                                            \
    "  for k = 1, #h, 2 do\n"                                                         \
    "    local n = tonumber(h[k + 1]) or 0\n"                                         \
    "    if h[k] == 'burst' then l.burst = n\n"                                       \
    "    elseif h[k] == 'bend' then l.bend = n\n"                                     \
    "    elseif h[k] == 'epoch' then l.epoch = h[k + 1]\n"                            \
    "    else\n"                                                                      \
    "      local at = tonumber(h[k]) or 0\n"                                          \
    "      if at < l.at - 64 or at > l.at then l.stale[#l.stale + 1] = h[k]\n"        \
    "      else l.all = l.all + n; l.ticks[#l.ticks + 1] = {at, n} end\n"             \
    "    end\n"                                                                       \
    "  end\n"                                                                         \
    "  if l.epoch and l.epoch ~= epoch then\n"                                        \
    "    l.wipe, l.all, l.ticks, l.stale, l.burst, l.bend = true, 0, {}, {}, 0, 0\n"  \
    "  end\n"                                                                         \
    "  table.sort(l.ticks, function(a, b) return a[1] < b[1] end)\n"                  \
    "  l.own, l.ends = 0, 0\n"                                                        \
    "end\n"                                                                           \
    "local function free_in(l, need)\n"                                               \
    "  local all = l.all\n"                                                           \
    "  for _, m in ipairs(l.ticks) do\n"                                              \
    "    all = all - m[2]\n"                                                          \
    "    if all + need <= l.max then return (m[1] + 65) * l.tick - now end\n"         \
    "  end\n"                                                                         \
    "  return 0\n"                                                                    \
    "end\n"                                                                           \
    "local function put_sliding(l, cost)\n"                                           \
    "  if l.wipe then redis.call('DEL', l.key) end\n"                                 \
    "  if l.wipe or not l.epoch then redis.call('HSET', l.key, 'epoch', epoch) end\n" \
    "  redis.call('HINCRBY', l.key, text(l.at), text(cost))\n"                        \
    "  local lives = 66 * l.tick\n"                                                   \
    "  if l.bend > now then\n"                                                        \
    "    redis.call('HSET', l.key, 'burst', text(l.burst), 'bend', text(l.bend))\n"   \
    "    lives = math.max(lives, l.bend - now)\n"                                     \
    "  end\n"                                                                         \
    "  for _, name in ipairs(l.stale) do redis.call('HDEL', l.key, name) end\n"       \
    "  redis.call('PEXPIRE', l.key, text(lives))\n"                                   \
    "end\n"

/* look() is one limit, by the numbers that are asked with; say() adds what is told of it. */
#define LOOK                                                                                       \
    "local function look(key, numbers)\n"                                                          \
    "  local max, cost, window, count, left, length, slides, refuses, bmax, bms = string.match(\n" \
    "    numbers, '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d) (%d) (%d+) (%d+)$')\n"                \
    "  local l = {key = key, max = tonumber(max), cost = tonumber(cost), window = "                \
    "tonumber(window),\n"                                                                          \
    "    count = tonumber(count), left = tonumber(left), length = tonumber(length),\n"             \
    "    slides = slides == '1', refuses = refuses == '1', bmax = tonumber(bmax),\n"               \
    "    bms = tonumber(bms), limited = max ~= '9007199254740992', kind = 0, retry = 0}\n"         \
    "  local need = math.max(l.cost, 1)\n"                                                         \
    "  if l.slides then look_sliding(l) else look_fixed(l) end\n"                                  \
    "  if l.bend <= now then l.burst, l.bend = 0, 0 end\n"                                         \
    "  if l.limited and (l.all > l.max or need > l.max - l.all) then\n"                            \
    "    l.kind, l.retry = 1, l.slides and free_in(l, need) or l.ends - now\n"                     \
    "  end\n"                                                                                      \
    "  if l.bmax > 0 and l.burst >= l.bmax then\n"                                                 \
    "    if l.kind == 0 then l.kind = 2 end\n"                                                     \
    "    l.retry = math.max(l.retry, l.bend - now)\n"                                              \
    "  end\n"                                                                                      \
    "  return l\n"                                                                                 \
    "end\n"                                                                                        \
    "local function say(l, out)\n"                                                                 \
    "  local left = l.ends - now\n"                                                                \
    "  if not l.limited then left = 0\n"                                                           \
    "  elseif l.slides then left = #l.ticks > 0 and (l.ticks[#l.ticks][1] + 65) * l.tick - now "   \
    "or 0 end\n"                                                                                   \
    "  if not l.limited or l.slides or (l.fresh and not l.wrote) then l.ends = 0 end\n"            \
    "  for _, n in ipairs({l.kind, l.ends, l.limited and l.all or 0, l.own, left, l.retry}) do\n"  \
    "    out[#out + 1] = math.max(n, 0)\n"                                                         \
    "  end\n"                                                                                      \
    "end\n"

/* KEYS: the epoch, then the limits'. ARGV: the gateway, the epoch that it knows, then for each
 * limit: max, cost, window, count, left, length, "1" when it slides, "1" when it refuses, burst,
 * its time. The reply is empty when the epoch is another one, or becomes one; else for each limit:
 * what is in the way (1 the quota, 2 the burst), window, total, own, left, when there is room. */
#define SAME_EPOCH                                                   \
    "if redis.pcall('GET', KEYS[1]) ~= ARGV[2] then return {} end\n" \
    "local epoch = ARGV[2]\n"

const char counting_ask_script[] = SAME_EPOCH COUNTING_CLOCK FIXED SLIDING LOOK
    "local function use(l)\n"
    "  if l.bmax > 0 then\n"
    "    if l.bend == 0 then l.bend = now + l.bms end\n"
    "    l.burst = l.burst + 1\n"
    "  end\n"
    "  if not l.limited then\n"
    "    redis.call('HSET', l.key, 'burst', text(l.burst), 'bend', text(l.bend))\n"
    "    redis.call('PEXPIREAT', l.key, text(l.bend))\n"
    "    return\n"
    "  end\n"
    "  l.all, l.own, l.wrote = l.all + l.cost, l.own + l.cost, true\n"
    "  if l.slides then\n"
    "    put_sliding(l, l.cost)\n"
    "    l.ticks[#l.ticks + 1] = {l.at, l.cost}\n"
    "  else put_fixed(l) end\n"
    "end\n"
    "local all, refused, out = {}, false, {}\n"
    "for i = 2, #KEYS do\n"
    "  local l = look(KEYS[i], ARGV[i + 1])\n"
    "  all[#all + 1] = l\n"
    "  refused = refused or (l.kind > 0 and l.refuses)\n"
    "end\n"
    "if lost then return {} end\n"
    "for _, l in ipairs(all) do\n"
    "  if not refused and l.kind == 0 then use(l) end\n"
    "  say(l, out)\n"
    "end\n"
    "return out\n";

/* The same keys, arguments and reply, and nothing is used. */
const char counting_look_script[] = SAME_EPOCH COUNTING_CLOCK FIXED SLIDING LOOK
    "local out = {}\n"
    "for i = 2, #KEYS do say(look(KEYS[i], ARGV[i + 1]), out) end\n"
    "return lost and {} or out\n";

/* KEYS: the epoch, the gateways, then the limits'. ARGV: the gateway, since when others count, then
 * for each limit: window, count, left, length, "1" when it slides. The reply is as that of
 * counting_script.c. Of a sliding window the count is what Redis has not been told yet. */
const char counting_strict_tell_script[] = COUNTING_CLOCK COUNTING_PRESENCE FIXED SLIDING
    "for i = 1, #KEYS - 2 do\n"
    "  local f, kind, ends, total, left = {}, 0, 0, 0, 0\n"
    "  for n in string.gmatch(ARGV[i + 2], '%d+') do f[#f + 1] = tonumber(n) end\n"
    "  local l = {key = KEYS[i + 2], window = f[1], count = f[2], left = f[3], length = f[4]}\n"
    "  if f[5] == 1 then\n"
    "    look_sliding(l)\n"
    "    put_sliding(l, l.count)\n"
    "    total, left = l.all + l.count, l.length\n"
    "  else\n"
    "    look_fixed(l)\n"
    "    ends, left = l.ends, l.ends - now\n"
    "    if l.fresh and l.window > 0 and l.window <= now then kind, ends, left = 2, l.window, 0\n"
    "    elseif not l.fresh and l.window > 0 and l.window ~= l.ends then\n"
    "      kind, total = 1, l.all - l.own\n"
    "    else\n"
    "      put_fixed(l)\n"
    "      total = l.all - l.own + l.count\n"
    "    end\n"
    "  end\n"
    "  out[#out + 1] = kind\n"
    "  out[#out + 1] = ends\n"
    "  out[#out + 1] = total\n"
    "  out[#out + 1] = math.max(left, 0)\n"
    "end\n"
    "return out\n";

/* As counting_clear_script. Gateways tell only what is new of a sliding window. */
const char counting_strict_clear_script[] =
    COUNTING_CLEAR("'end', text(ends + 1), 'all', '0'", "  redis.call('DEL', KEYS[1])\n");
