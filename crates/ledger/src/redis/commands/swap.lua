-- Compare-and-swap on the keys of one biller: all hold what is expected, or nothing is changed.
--
-- ARGV[1]: a letter per key, `a`: it must be absent, `h`: it must hold what follows.
-- Then per key: what it must hold (empty where it must be absent), what it shall hold, and after
-- how many milliseconds that expires (0: never).
--
-- Answers 1 where the keys were changed, else what every key holds.
local held = redis.call('MGET', unpack(KEYS))
for i = 1, #KEYS do
  if string.sub(ARGV[1], i, i) == 'a' then
    if held[i] then return held end
  elseif held[i] ~= ARGV[3 * i - 1] then
    return held
  end
end
for i = 1, #KEYS do
  if ARGV[3 * i + 1] == '0' then
    redis.call('SET', KEYS[i], ARGV[3 * i])
  else
    redis.call('SET', KEYS[i], ARGV[3 * i], 'PX', ARGV[3 * i + 1])
  end
end
return 1
