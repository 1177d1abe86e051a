-- Sets a fresh mark on a pattern. KEYS[1]: its mark. KEYS[2]: its holds, of which there are none. ARGV[2]: the fresh mark.
redis.call('HDEL', KEYS[2], '')
change_mark(KEYS[1], ARGV[2])
return 1
