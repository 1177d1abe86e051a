-- What all scripts share; it precedes each of them.
-- KEYS: the names of the call. ARGV[1]: its token.
-- A row is a hash with the fields `state` (`running`, `value` or `not_storable`), `token`, `request` and `answer`, where a missing request or
-- answer is empty. It expires with the lease of the call, and once it is answered with the window of the answer, by the clock of the server,
-- which stands still while a script runs.
local token = ARGV[1]

-- The state of a row, or nil if there is no row, and whether it is of this call. A row without a state is damaged.
local function state_of(name)
    local fields = redis.call('HMGET', name, 'state', 'token')
    if not fields[1] and redis.call('EXISTS', name) == 0 then
        return nil, false
    end
    return fields[1] or '', fields[2] == token
end

-- Whether the call has all of its names.
local function owns_all()
    for _, name in ipairs(KEYS) do
        local _, is_own = state_of(name)
        if not is_own then
            return false
        end
    end
    return true
end

