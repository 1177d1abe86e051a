-- Puts or invalidates, unless what is there is newer: one atomic step on the server.
-- KEYS[1]: the name.
-- ARGV[1]: the version, 20 digits, or 20 dashes where there is none.
-- ARGV[2]: the time to live in milliseconds, `none` for ever, `0` over at once.
-- ARGV[3]: the bytes to put; without them, the key is invalidated.
-- Of what is there, the first 23 bytes are read: see stored.rs.
local version, ttl, value = ARGV[1], ARGV[2], ARGV[3]
local no_version = string.rep('-', 20)

-- A version is beyond what a number of Lua holds exactly: it is compared in halves.
local function newer(a, b)
    local a_high, b_high = tonumber(string.sub(a, 1, 10)), tonumber(string.sub(b, 1, 10))
    return a_high > b_high or (a_high == b_high and tonumber(string.sub(a, 11)) > tonumber(string.sub(b, 11)))
end

-- What is no string of ours has no version, whatever its type.
local head = redis.pcall('GETRANGE', KEYS[1], 0, 22)
local kind, seen = '', no_version
if type(head) == 'string' and string.match(head, '^g1%l' .. string.rep('%d', 20) .. '$') then
    kind, seen = string.sub(head, 3, 3), string.sub(head, 4)
end

if version == no_version then
    version = seen
    if value and seen ~= no_version then
        value = 'g1u' .. seen .. string.sub(value, 24)
    end
elseif seen ~= no_version then
    -- A put may renew the value of its version, but not bring it back once it was invalidated.
    if newer(seen, version) or (seen == version and value and kind ~= 'v') then
        return 0
    end
end

if not value then
    if version == no_version then
        redis.call('DEL', KEYS[1])
        return 1
    end
    value = 'g1t' .. version
    -- What an earlier write was promised is not cut short.
    local left = redis.call('PTTL', KEYS[1])
    if ttl ~= 'none' and left > tonumber(ttl) then
        ttl = string.format('%.0f', left)
    end
end

if ttl == '0' then
    redis.call('DEL', KEYS[1])
elseif ttl == 'none' then
    redis.call('SET', KEYS[1], value)
else
    redis.call('SET', KEYS[1], value, 'PX', ttl)
end
return 1
