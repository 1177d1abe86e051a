-- Extends a lease. KEYS[1]: the lease. ARGV[2]: its token. ARGV[3]: the time from now.
-- Returns 1 if it was this reader's, otherwise 0.
if lease_of(KEYS[1]) ~= ARGV[2] then
    return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
