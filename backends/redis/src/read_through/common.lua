-- What all scripts share; it precedes each of them.
-- ARGV[1]: the incarnation of the server. What was stored in another one is void.
-- A mark is stored as `mark incarnation time`, a hold as a field of a hash: the token of its write, and `expiry incarnation`.
-- Times are milliseconds by the clock of the server, which stands still while a script runs.
local incarnation = ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A number would be written with an exponent.
local function digits(number)
    return string.format('%.0f', number)
end

-- The mark under a name, and when it was made.
local function mark_of(name)
    local stored = redis.call('GET', name)
    if stored and string.sub(stored, 34, 49) == incarnation then
        return string.sub(stored, 1, 32), tonumber(string.sub(stored, 51))
    end
    return false
end

-- Lets a key live for at least this time, as something depends on it for so long.
local function keep(name, ms)
    if redis.call('PTTL', name) < ms then
        redis.call('PEXPIRE', name, digits(ms))
    end
end

-- Sets a mark. What depends on it may live as long as what depended on the mark before, if there was one.
local function set_mark(name, mark, ms, before)
    local left = before and redis.call('PTTL', name) or 0
    redis.call('SET', name, mark .. ' ' .. incarnation .. ' ' .. digits(now), 'PX', digits(math.max(ms, left)))
end

-- Changes a mark. A missing one matches nothing, and the next look-up makes a new one.
-- A server whose memory is full refuses this if it is the first command of a script that writes; so something is removed before.
local function change_mark(name, mark)
    redis.call('SET', name, mark .. ' ' .. incarnation .. ' ' .. digits(now), 'XX', 'KEEPTTL')
end

-- Whether another write than this one holds an entity, and until when this one does. Removes the holds that are void.
local function holds_of(name, token)
    local held, own = false, false
    local holds = redis.call('HGETALL', name)
    for i = 1, #holds, 2 do
        local expiry, of = string.match(holds[i + 1], '^(%d+) (%x+)$')
        if of ~= incarnation or tonumber(expiry) <= now then
            redis.call('HDEL', name, holds[i])
        elseif holds[i] == token then
            own = tonumber(expiry)
        else
            held = true
        end
    end
    return held, own
end

-- Sets or extends the hold of a write, beside those of others if there are any.
local function set_hold(name, token, ms, others)
    redis.call('HSET', name, token, digits(now + ms) .. ' ' .. incarnation)
    if others then
        keep(name, ms)
    else
        redis.call('PEXPIRE', name, digits(ms))
    end
end

-- The token of a lease, and the marks of its look-up. It is stored as `token incarnation marks`.
local function lease_of(name)
    local stored = redis.call('GET', name)
    if stored and string.sub(stored, 34, 49) == incarnation then
        return string.sub(stored, 1, 32), string.sub(stored, 51)
    end
    return false
end

-- Stores an entry; see stored.rs.
local function set_entry(name, tail, ttl)
    local head = 'r1 ' .. incarnation .. ' ' .. string.format('%016.0f', now) .. ' '
    redis.call('SET', name, head .. tail, 'PX', digits(ttl))
end

