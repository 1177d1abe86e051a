-- Stores the answer of a call that has all of its names.
-- ARGV[2]: the state that says what was answered. ARGV[3]: the time of the window. ARGV[4]: the bytes of the value, or nothing.
-- Returns 1, or 0 if the call has not all of its names. A call that has answered before gets 1: the reply to that was lost.
if not owns_all() then
    return 0
end
for _, name in ipairs(KEYS) do
    if state_of(name) == 'running' then
        -- A server whose memory is full refuses a script that begins with `HSET`.
        redis.call('PEXPIRE', name, ARGV[3])
        redis.call('HSET', name, 'state', ARGV[2], 'answer', ARGV[4])
    else
        -- It is written again, though nothing changes, because the reply says that it is on disk.
        local left = redis.call('PTTL', name)
        redis.call('PEXPIRE', name, left > 0 and left or ARGV[3])
    end
end
return 1
