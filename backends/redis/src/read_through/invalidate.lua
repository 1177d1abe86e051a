-- Sets a fresh mark on a pattern. KEYS[1]: its mark. ARGV[2]: the fresh one.
change_mark(KEYS[1], ARGV[2])
return 1
