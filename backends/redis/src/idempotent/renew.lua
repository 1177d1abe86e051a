-- Extends the lease of a call that has all of its names, and never shortens it.
-- ARGV[2]: the time of the lease. Returns 1, or 0 if the call has not all of its names.
if not owns_all() then
    return 0
end
for _, name in ipairs(KEYS) do
    if state_of(name) == 'running' and redis.call('PTTL', name) < tonumber(ARGV[2]) then
        redis.call('PEXPIRE', name, ARGV[2])
    end
end
return 1
