-- Claims the names of a call, or returns what is known of one.
-- ARGV[2]: the hash of the request, or nothing. ARGV[3]: the time of the lease. ARGV[4]: `again` if the reply to the first sending was lost.
-- Returns false if they are claimed now. Otherwise the state of the row, its request, the time until it expires, and the answer.
local is_again = ARGV[4] == 'again'
local known, known_state
for _, name in ipairs(KEYS) do
    local state, is_own = state_of(name)
    -- What the first sending has claimed is claimed again.
    local is_free = not state or (is_again and is_own and state == 'running')
    -- An answer comes before a running call.
    if not is_free and (not known or known_state == 'running') then
        known, known_state = name, state
    end
end
if known then
    local row = redis.call('HMGET', known, 'request', 'answer')
    return {known_state, row[1] or '', redis.call('PTTL', known), row[2] or ''}
end
for _, name in ipairs(KEYS) do
    redis.call('HSET', name, 'state', 'running', 'token', token, 'request', ARGV[2], 'answer', '')
    redis.call('PEXPIRE', name, ARGV[3])
end
return false
