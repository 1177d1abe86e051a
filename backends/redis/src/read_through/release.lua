-- Releases a lease. KEYS[1]: the lease. ARGV[2]: its token.
if lease_of(KEYS[1]) == ARGV[2] then
    redis.call('DEL', KEYS[1])
end
return 1
